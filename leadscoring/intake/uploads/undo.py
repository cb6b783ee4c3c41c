"""Taking an import back, by parts: people whom it made go, unless something happened since; fields that are still
as it left them are as before; its activities go, and scores follow; addresses leave *Do not mail*.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from leadscoring import crm_state
from leadscoring.common import bulk_sql
from leadscoring.common.batching import batched
from leadscoring.common.bulk_sql import run_statement
from leadscoring.extensions import contact_ties
from leadscoring.intake.activities import NOT_THEIR_DOING
from leadscoring.intake.csv_import.importer import Clock
from leadscoring.intake.journal import WishChange
from leadscoring.intake.people import COLUMNS, contacts_by_id, record_profile_changes
from leadscoring.models import (
    Activity,
    Alias,
    Company,
    Contact,
    CrmState,
    Identifier,
    Import,
    ImportChange,
    ImportWish,
    Visitor,
)
from leadscoring.scoring import rescore
from leadscoring.signals import no_mail_taken_back

PART = 200
UNUSED = """
    DELETE FROM leadscoring_company AS made WHERE made.id = ANY(%s) AND made.created_at >= %s
    AND NOT EXISTS (SELECT FROM leadscoring_contact WHERE company_id = made.id)
"""
# Whom an import made and who are, or did, nothing but what its rows say.
FOREIGN_ACTIVITY = """
    SELECT DISTINCT done.contact_id FROM leadscoring_activity AS done
    WHERE done.contact_id = ANY(%(contacts)s) AND NOT EXISTS (
        SELECT FROM leadscoring_importchange AS made
        WHERE made.imported_id = %(imported)s AND made.contact_id = done.contact_id
        AND done.id = ANY(made.activities)
    )
"""
FORGET_IDS = """
    DELETE FROM leadscoring_identifier AS known
    USING unnest(%s::bigint[], %s::text[], %s::text[]) AS given(contact_id, source, value)
    WHERE (known.contact_id, known.source, known.value) = (given.contact_id, given.source, given.value)
    RETURNING known.contact_id
"""
LAST_ACTIVITY = """
    UPDATE leadscoring_contact AS person SET last_activity_at = (
        SELECT max(occurred_at) FROM leadscoring_activity
        WHERE contact_id = person.id AND type <> ALL(%s)
    ) WHERE person.id = ANY(%s)
"""
NAMES = ("email", "external_id")


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing would do, as far as is known before."""

    people: int
    staying: int
    changed: int
    activities: int
    addresses: int

    @property
    def does_anything(self) -> bool:
        return any((self.people, self.staying, self.changed, self.activities, self.addresses))


def plan_undo(row: Import) -> UndoPlan:
    changes = ImportChange.objects.filter(imported=row)
    made = set(changes.filter(created=True).values_list("contact", flat=True))
    gone = sum(len(_untouched(row, part)) for part in batched(sorted(made), 1000))
    [(activities,)] = run_statement(
        "SELECT coalesce(sum(cardinality(activities)), 0) FROM leadscoring_importchange WHERE imported_id = %s",
        [row.pk],
    )
    different = changes.filter(created=False).exclude(fields={}, properties={}, identifiers=[])
    return UndoPlan(
        gone,
        len(made) - gone,
        different.values("contact").distinct().count(),
        int(activities),
        row.wishes.count(),
    )


def take_back(row: Import, clock: Clock, end: Callable[[], bool]) -> None:
    """Undo an import until all of it or the turn is over."""
    for step in (_delete_people, _put_back, _take_back_wishes):
        while step(row, clock()):
            if end():
                return
    over = Import.objects.filter(pk=row.pk, state=Import.State.UNDOING)
    over.update(state=Import.State.UNDONE, undone_at=clock())


def _undoing(row: Import) -> Import:
    """Lock an import, so that each of its parts is undone once."""
    return Import.objects.select_for_update().get(pk=row.pk, state=Import.State.UNDOING)


def _count(row: Import, **numbers: int) -> None:
    row.undone = dict(Counter(row.undone) + Counter(numbers))
    row.tries = 0
    row.save(update_fields=["undone", "tries"])


def _lock(contact_ids: Iterable[int]) -> list[int]:
    locked = Contact.objects.filter(pk__in=set(contact_ids)).order_by("pk").select_for_update()
    return list(locked.values_list("pk", flat=True))


# --- people whom it made -------------------------------------------------------------------------
def _delete_people(row: Import, at: datetime) -> bool:
    """Delete some of the people whom an import made; return whether others are left."""
    with transaction.atomic():
        locked = _undoing(row)
        made = ImportChange.objects.filter(imported=row, created=True).order_by("pk")[:PART]
        ids = _lock(made.values_list("contact", flat=True))
        if not ids:
            return False
        untouched = _untouched(row, ids)
        people = Contact.objects.filter(pk__in=untouched)
        companies = set(people.values_list("company", flat=True)) - {None}
        activities = Activity.objects.filter(contact__in=untouched).count()
        people.delete()
        _delete_companies(row, companies)
        # Whoever stays is no more than somebody to whom it gave activities.
        stay = ImportChange.objects.filter(imported=row, contact__in=set(ids) - untouched)
        stay.update(created=False, fields={}, properties={}, identifiers=[])
        staying = len(ids) - len(untouched)
        _count(locked, people=len(untouched), staying=staying, activities=activities)
    return True


def _untouched(row: Import, contact_ids: Collection[int]) -> set[int]:
    """Return those of the people an import made to whom nothing else happened."""
    theirs = ImportChange.objects.filter(imported=row, contact=OuterRef("pk"))
    known = Identifier.objects.filter(contact__in=contact_ids)
    ties: list[Any] = [tie() for tie in contact_ties.values()]
    ties += [
        Exists(model._default_manager.filter(contact=OuterRef("pk"))) for model in (Visitor, Alias)
    ]
    ties.append(Exists(CrmState.objects.filter(contact=OuterRef("pk")).exclude(record_id="")))
    people = Contact.objects.filter(pk__in=contact_ids).filter(
        Exists(theirs.filter(at=OuterRef("updated_at")))
    )
    for tie in ties:
        people = people.exclude(tie)
    found = set(people.values_list("pk", flat=True))
    others = {"contacts": sorted(found), "imported": row.pk}
    found -= {pk for (pk,) in run_statement(FOREIGN_ACTIVITY, others)}
    given: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for contact_id, pairs in ImportChange.objects.filter(
        imported=row, contact__in=found
    ).values_list("contact", "identifiers"):
        given[contact_id] |= {(source, value) for source, value in pairs}
    return found - {
        one.contact_id for one in known if (one.source, one.value) not in given[one.contact_id]
    }


def _delete_companies(row: Import, companies: Collection[int]) -> None:
    """Delete companies that came with an import and that nobody belongs to."""
    if companies and row.started_at:
        run_statement(UNUSED, [sorted(companies), row.started_at])


# --- people whom it changed ----------------------------------------------------------------------
def _put_back(row: Import, at: datetime) -> bool:
    """Put some of the people back whom an import changed, the latest change first; return whether others are left."""
    with transaction.atomic():
        locked = _undoing(row)
        changes = list(ImportChange.objects.filter(imported=row).order_by("-pk")[:PART])
        if not changes:
            return False
        ids = _lock(change.contact_id for change in changes)
        contacts = contacts_by_id(ids)
        changed = _remove_identifiers(changes)
        kept = _put_fields_back(changes, contacts, changed)
        _save([contacts[pk] for pk in sorted(changed) if pk in contacts], at)
        gone = _remove_activities(changes)
        came = {
            change.fields["company_id"][1] for change in changes if "company_id" in change.fields
        }
        _delete_companies(locked, came - {None})
        rescore(ids, at)
        ImportChange.objects.filter(pk__in=[change.pk for change in changes]).delete()
        _count(locked, changed=len(changed), kept=kept, activities=gone)
    return True


def _remove_identifiers(changes: Iterable[ImportChange]) -> set[int]:
    """Remove ids that people got; return whose they were."""
    given = [(change.contact_id, *pair) for change in changes for pair in change.identifiers]
    if not given:
        return set()
    columns = [list(column) for column in zip(*given, strict=True)]
    return {pk for (pk,) in run_statement(FORGET_IDS, columns)}


def _put_fields_back(
    changes: Iterable[ImportChange], contacts: Mapping[int, Contact], changed: set[int]
) -> int:
    """Give people the values from before; add them to `changed`. Return how many have others by now and stay."""
    before = {change.fields["company_id"][0] for change in changes if "company_id" in change.fields}
    companies = Company.objects.in_bulk(before - {None})
    otherwise = set(
        Identifier.objects.filter(contact__in=contacts).values_list("contact", flat=True)
    )
    kept = 0
    for change in changes:
        if contact := contacts.get(change.contact_id):
            left = _put_one_back(contact, change, companies, contact.pk in otherwise)
            kept += left
            if left < len(change.fields) + len(change.properties):
                changed.add(contact.pk)
    return kept


def _put_one_back(
    contact: Contact, change: ImportChange, companies: Mapping[int, Company], otherwise: bool
) -> int:
    """Return how many values stay as they are. `otherwise`: whether the contact is known by an id of another source."""
    kept = 0
    for name, (old, new) in change.fields.items():
        alone = name in NAMES and not (otherwise or all(getattr(contact, one) for one in NAMES))
        if getattr(contact, name) != new or alone:
            kept += 1
        elif name == "company_id":
            contact.company = companies.get(old)
        else:
            setattr(contact, name, old)
    for name, (old, new) in change.properties.items():
        if contact.properties.get(name) != new:
            kept += 1
        elif old is None:
            contact.properties.pop(name, None)
        else:
            contact.properties[name] = old
    return kept


def _save(contacts: Sequence[Contact], at: datetime) -> None:
    for contact in contacts:
        contact.updated_at = at
    bulk_sql.bulk_update(Contact, contacts, COLUMNS)
    record_profile_changes(contacts, at)
    crm_state.drop_unlinked_states([contact.pk for contact in contacts if not contact.email])


def _remove_activities(changes: Iterable[ImportChange]) -> int:
    """Delete activities, and let people have last done something when they did; return how many it was."""
    ids = [pk for change in changes for pk in change.activities]
    if not ids:
        return 0
    done = Activity.objects.filter(pk__in=ids)
    people = list(done.values_list("contact", flat=True).distinct())
    number, _ = done.delete()
    run_statement(LAST_ACTIVITY, [sorted(NOT_THEIR_DOING), people])
    return number


# --- addresses -----------------------------------------------------------------------------------
def _take_back_wishes(row: Import, at: datetime) -> bool:
    """Take some addresses out of *Do not mail* again; return whether others are left."""
    with transaction.atomic():
        locked = _undoing(row)
        wishes = list(ImportWish.objects.filter(imported=row).order_by("-pk")[:PART])
        if not wishes:
            return False
        changes = [WishChange(one.email, one.before, one.after) for one in wishes]
        answers: list[Any] = no_mail_taken_back.send(ImportWish, changes=changes, at=at)
        ImportWish.objects.filter(pk__in=[one.pk for one in wishes]).delete()
        _count(locked, addresses=sum(number for _, number in answers))
    return True
