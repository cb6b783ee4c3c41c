"""What was changed in the CRM since last time, found by search and applied: repeated, never skipped.

A search says only *that* a record was changed. What it says now is read by its id, and so are the
people who hang on it: an index that is behind tells us nothing old.

Each search begins well before what is known to be applied, because the index lags (`Cursor.overlap`);
what it gives twice is known by record and instant, and not applied again. The cursor moves in the
transaction that applies what it covers: a turn that is killed begins again there.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from django.db import transaction

from crm_sync.applying import apply
from crm_sync.models import Change, Cursor, Deal, Link
from crm_sync.models.cursors import AHEAD
from crm_sync.port import ChangeKind, CrmChange
from crm_sync.reading import Look, look, people
from crm_sync.visit import CHUNK, Visit, parts
from leadscoring.models import CrmState
from leadscoring.pausepoints import reach

# Changes that are looked at together: an association batch takes a thousand.
GROUP = 1_000
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def follow(visit: Visit, kind: ChangeKind) -> datetime | None:
    """Apply all changes of one kind; answers up to which instant (our clock) they are applied.

    None when time was up before the end; and the first time ever, which only sets the cursor: what
    there is by then is found by looking at everybody.
    """
    cursor = Cursor.objects.filter(pk=kind).first()
    if cursor is None:
        start(visit, kind)
        return None
    began, since = visit.now(), cursor.position - cursor.overlap(visit.at)
    covered = cursor.searched_from, cursor.position
    for group in groups(visit.crm.changes(kind, since)):
        if visit.is_over():
            return None
        take(visit, cursor, group, covered)
    cursor.complete(since, began)
    Change.objects.forget(kind, before=cursor.position - cursor.overlap(began))
    return began - cursor.lag(began)


def start(visit: Visit, kind: ChangeKind) -> None:
    """A cursor at the newest change there is: by the CRM's clock, which need not be ours."""
    newest = visit.crm.newest_change(kind) or LONG_AGO
    at = visit.now()
    position = min(newest, at + AHEAD)
    Cursor.objects.create(kind=kind, position=position, at=at, searched_from=position)


def groups(pages: Iterable[Sequence[CrmChange]]) -> Iterator[list[CrmChange]]:
    group: list[CrmChange] = []
    for page in pages:
        group.extend(page)
        if len(group) >= GROUP:
            yield group
            group = []
    if group:
        yield group


def take(
    visit: Visit,
    cursor: Cursor,
    group: Sequence[CrmChange],
    covered: tuple[datetime, datetime],
) -> None:
    """Apply changes and move the cursor past them. `covered`: what the last search should have told."""
    kind = Cursor.Kind(cursor.kind)
    known = Change.objects.known(kind, (change.record_id for change in group))
    fresh = [change for change in group if (change.record_id, change.changed_at) not in known]
    looks = list(looks_at(visit, sorted(whom(visit, kind, fresh))))
    reach("pull.looked")
    with transaction.atomic():
        for at, found in looks:
            visit.report.deals += apply(visit.crm, visit.account, found, at)
            visit.report.contacts += len(found.ids)
        reach("pull.applied")
        Change.objects.note(kind, ((change.record_id, change.changed_at) for change in fresh))
        cursor.late((change.changed_at for change in fresh), covered, visit.now())
        cursor.move(max(change.changed_at for change in group), visit.now())
        cursor.save()
    reach("pull.recorded")


def looks_at(visit: Visit, ids: Sequence[int]) -> Iterator[tuple[datetime, Look]]:
    for some in parts(ids, CHUNK):
        yield visit.now(), look(visit.crm, some)


def whom(visit: Visit, kind: str, changes: Sequence[CrmChange]) -> set[int]:
    """The contacts of ours whom changes are about."""
    if not changes:
        return set()
    if kind == Cursor.Kind.CONTACTS:
        record_ids = {one for change in changes for one in (change.record_id, *change.former_ids)}
        emails = {email for change in changes for email in change.emails}
        return with_record(visit, record_ids) | with_address(emails)
    deal_ids = [change.record_id for change in changes]
    there = visit.crm.contacts_of_deals(deal_ids)
    record_ids = {record_id for found in there.values() for record_id in found}
    return with_record(visit, record_ids) | with_deal(deal_ids)


def with_record(visit: Visit, record_ids: Collection[str]) -> set[int]:
    """By the link, and by the state: a record may answer for two of ours, and one has the link."""
    links = Link.objects.filter(portal_id=visit.account.portal_id, record_id__in=record_ids)
    states = CrmState.objects.filter(record_id__in=record_ids).exclude(record_id="")
    return {*links.values_list("pk", flat=True), *states.values_list("pk", flat=True)}


def with_address(emails: Collection[str]) -> set[int]:
    states = CrmState.objects.filter(contact__email__in=emails)
    ours = people().filter(email__in=emails)
    return {*states.values_list("pk", flat=True), *ours.values_list("pk", flat=True)}


def with_deal(deal_ids: Collection[str]) -> set[int]:
    """Those whom it hung on when it was last read."""
    tied = Deal.contacts.through.objects.filter(deal__deal_id__in=deal_ids)
    return set(tied.values_list("contact_id", flat=True))
