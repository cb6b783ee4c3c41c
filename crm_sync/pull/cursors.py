"""Changes in the CRM since the last pull, found by search and applied: repeated, never skipped.

A search returns only *that* a record was changed. Its current values are read by its id, and so are
the associated contacts: a lagging index cannot yield outdated values.

Each search begins well before what is known to be applied, because the index lags (`Cursor.overlap`);
what it returns twice is known by record and instant, and not applied again. The cursor moves in the
transaction that applies what it covers: a turn that is killed, refused or out of time resumes there,
so any number of changes is applied, however few a turn manages.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest

from django.db import transaction

from crm_sync.models import AppliedChange, Cursor, Deal, Link
from crm_sync.models.cursors import AHEAD, WHERE
from crm_sync.port import ChangeKind, CrmCapabilities, CrmChange
from crm_sync.pull.apply import apply_snapshot
from crm_sync.pull.fetch import Snapshot, fetch_snapshot, people_of_interest
from crm_sync.pull.run import CHUNK, PullRun
from leadscoring.common.batching import batched
from leadscoring.common.email_address import fold_email
from leadscoring.models import CrmState
from leadscoring.operations.failpoints import reach

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class KindSearch:
    """The changes of one kind since its cursor. `began`: by our clock, before the first request.

    `covered`: from … to, what the previous search should have returned. `begun_at`: when its first
    turn began, by the CRM's clock; `resumed`: there was one before this.
    """

    cursor: Cursor
    capabilities: CrmCapabilities
    since: datetime
    began: datetime
    covered: tuple[datetime, datetime]
    begun_at: datetime
    resumed: bool
    groups: Iterator[list[CrmChange]]

    def finish(self) -> datetime:
        """Record the search as complete; return the instant up to which all changes are applied."""
        overlap = self.cursor.overlap(self.capabilities.search_overlap, self.began)
        several = self.begun_at if self.resumed else None
        self.cursor.complete(self.since, self.began, several, overlap)
        AppliedChange.objects.forget(self.cursor.kind, self.cursor.search_from(overlap))
        return self.began - self.cursor.lag(self.capabilities.index_lag, self.began)


def follow_changes(visit: PullRun, *kinds: ChangeKind) -> dict[str, datetime]:
    """Apply all changes; return for each kind the instant (our clock) up to which they are applied.

    Return nothing when time runs out before the end, nor for a kind without a cursor, whose first
    search only sets it: the first full sweep finds what exists by then. Contacts with changes of
    several kinds are read together, which costs the fewest requests.
    """
    searches = [search for kind in kinds if (search := begin_search(visit, kind))]
    for groups in zip_longest(*(search.groups for search in searches), fillvalue=()):
        if visit.is_over():
            return {}
        apply_changes(visit, list(zip(searches, groups, strict=True)))
    return {search.cursor.kind: search.finish() for search in searches}


def begin_search(visit: PullRun, kind: ChangeKind) -> KindSearch | None:
    cursor = Cursor.objects.filter(pk=kind).first()
    if cursor is None:
        start_cursor(visit, kind)
        return None
    capabilities = visit.crm.capabilities
    since = cursor.search_from(cursor.overlap(capabilities.search_overlap, visit.at))
    covered, began = (cursor.searched_from, cursor.position), visit.now()
    resumed = cursor.begun_at is not None
    begun_at = cursor.begun_at or cursor.crm_time(began)
    groups = group_changes(visit.crm.changes(kind, since), capabilities.changes_at_once)
    return KindSearch(cursor, capabilities, since, began, covered, begun_at, resumed, groups)


def start_cursor(visit: PullRun, kind: ChangeKind) -> None:
    """Create a cursor at the newest change: by the CRM's clock, which may differ from ours."""
    newest = visit.crm.newest_change(kind) or LONG_AGO
    at = visit.now()
    position = min(newest, at + AHEAD)
    Cursor.objects.create(kind=kind, position=position, at=at, searched_from=position)


def group_changes(pages: Iterable[Sequence[CrmChange]], size: int) -> Iterator[list[CrmChange]]:
    """Yield whole pages together, of `size` changes or more."""
    group: list[CrmChange] = []
    for page in pages:
        group.extend(page)
        if len(group) >= size:
            yield group
            group = []
    if group:
        yield group


def apply_changes(visit: PullRun, found: Sequence[tuple[KindSearch, Sequence[CrmChange]]]) -> None:
    """Apply some changes of each kind and move the cursors past them."""
    fresh = [unapplied_changes(search.cursor.kind, group) for search, group in found]
    ids: set[int] = set()
    for (search, _), changes in zip(found, fresh, strict=True):
        ids |= contacts_of_changes(visit, search.cursor.kind, changes)
    looks = list(refresh_contacts(visit, sorted(ids)))
    reach("pull.looked")
    with transaction.atomic():
        for at, seen in looks:
            visit.report.deals += apply_snapshot(visit.crm, visit.account, seen, at)
            visit.report.contacts += len(seen.ids)
        reach("pull.applied")
        for (search, group), changes in zip(found, fresh, strict=True):
            move_past(search, group, changes, visit.now())
    reach("pull.recorded")


def unapplied_changes(kind: str, group: Sequence[CrmChange]) -> list[CrmChange]:
    """Return those that are not applied yet."""
    known = AppliedChange.objects.known(kind, (change.record_id for change in group))
    return [change for change in group if (change.record_id, change.changed_at) not in known]


def move_past(
    search: KindSearch, group: Sequence[CrmChange], fresh: Sequence[CrmChange], at: datetime
) -> None:
    if not group:
        return
    cursor = search.cursor
    AppliedChange.objects.note(
        cursor.kind, ((change.record_id, change.changed_at) for change in fresh)
    )
    cursor.late((change.changed_at for change in fresh), search.covered, at)
    cursor.applied_up_to(max(change.changed_at for change in group), search.begun_at, at)
    cursor.save(update_fields=WHERE)


def refresh_contacts(visit: PullRun, ids: Sequence[int]) -> Iterator[tuple[datetime, Snapshot]]:
    for some in batched(ids, CHUNK):
        yield visit.now(), fetch_snapshot(visit.crm, some)


def contacts_of_changes(visit: PullRun, kind: str, changes: Sequence[CrmChange]) -> set[int]:
    """Return the contacts of ours that changes concern."""
    if not changes:
        return set()
    if kind == Cursor.Kind.CONTACTS:
        record_ids = {one for change in changes for one in (change.record_id, *change.former_ids)}
        emails = {email for change in changes for email in change.emails}
        return contacts_with_record(visit, record_ids) | contacts_with_address(emails)
    deal_ids = [change.record_id for change in changes]
    there = visit.crm.contacts_of_deals(deal_ids)
    record_ids = {record_id for found in there.values() for record_id in found}
    return contacts_with_record(visit, record_ids) | contacts_with_deal(deal_ids)


def contacts_with_record(visit: PullRun, record_ids: Collection[str]) -> set[int]:
    """Return contacts by link and by state: two of ours may share a record, and one has the link."""
    links = Link.objects.filter(account_id=visit.account.account_id, record_id__in=record_ids)
    states = CrmState.objects.filter(record_id__in=record_ids).exclude(record_id="")
    return {*links.values_list("pk", flat=True), *states.values_list("pk", flat=True)}


def contacts_with_address(emails: Collection[str]) -> set[int]:
    emails = set(map(fold_email, emails))
    states = CrmState.objects.filter(contact__email__in=emails)
    ours = people_of_interest().filter(email__in=emails)
    return {*states.values_list("pk", flat=True), *ours.values_list("pk", flat=True)}


def contacts_with_deal(deal_ids: Collection[str]) -> set[int]:
    """Return contacts associated with the deals at the last read."""
    tied = Deal.contacts.through.objects.filter(deal__deal_id__in=deal_ids)
    return set(tied.values_list("contact_id", flat=True))
