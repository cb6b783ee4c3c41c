"""The people a batch speaks of: found by either identifier, locked, new ones made."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString, TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q
from psycopg.errors import DeadlockDetected

from leadscoring import crm_state
from leadscoring.access_log import note_people
from leadscoring.common import bulk_sql
from leadscoring.erasing import erased_addresses
from leadscoring.intake.validation import ActivityItem, InvalidItem, PersonItem
from leadscoring.models import Alias, Contact
from leadscoring.scoring import profile_of
from leadscoring.signals import addresses_changed

T = TypeVar("T")
Item = TypeVar("Item", PersonItem, ActivityItem)
TIMES = 10
COLUMNS = (
    "email", "external_id", "first_name", "last_name", "company_id", "job_title", "phone",
    "country", "properties", "updated_at",
)  # fmt: skip

# A change counts from when it came in. Of two batches at once the one that waited for the lock
# builds upon the other, so it never counts from earlier; at the same instant it replaces.
REMEMBER = """
    INSERT INTO leadscoring_profilechange (contact_id, at, fields, properties)
    SELECT new.contact_id, greatest(new.at, before.at), new.fields, new.properties
    FROM jsonb_populate_recordset(NULL::leadscoring_profilechange, %s) AS new
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM leadscoring_profilechange WHERE contact_id = new.contact_id
    ) AS before ON true
    ON CONFLICT (contact_id, at)
    DO UPDATE SET fields = EXCLUDED.fields, properties = EXCLUDED.properties
"""


class IdentityRace(Exception):
    """Another transaction has just changed whose identifiers these are."""


def retry_on_race(work: Callable[[], T]) -> T:
    """Do a batch in one transaction, and again if others came in between.

    What was lost is rolled back whole; the next time the others' rows are simply there.
    """
    for _ in range(TIMES - 1):
        try:
            with transaction.atomic():
                return work()
        except (IdentityRace, IntegrityError):
            continue
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
    with transaction.atomic():
        return work()


@dataclass(slots=True)
class KnownIdentity:
    """The identifiers of a contact. Lighter than the whole row, of which most batches need no more."""

    pk: int
    email: str | None
    external_id: str | None

    def __str__(self) -> str:
        return f"contact {self.pk} ({' '.join(filter(None, (self.email, self.external_id)))})"


class IdentityMap:
    """Contacts by identifier, as a batch goes through them."""

    def __init__(self, found: Iterable[KnownIdentity], made: set[int] | None = None) -> None:
        self.by_email: dict[str, KnownIdentity] = {}
        self.by_external_id: dict[str, KnownIdentity] = {}
        self.given_up: dict[str, KnownIdentity] = {}
        self.once_email: dict[str, KnownIdentity] = {}
        self.once_external_id: dict[str, KnownIdentity] = {}
        self.erased: set[str] = set()
        self.strangers: list[tuple[str | None, str | None]] = []
        self.trial = made is None  # only to find out which contacts to create
        self.made = made or set()
        self.changed: set[int] = set()
        for known in found:
            self.note(known)

    def note(self, known: KnownIdentity) -> None:
        if known.email:
            self.by_email[known.email] = known
        if known.external_id:
            self.by_external_id[known.external_id] = known

    def call(self, aliases: Iterable[Alias]) -> None:
        """Let these identifiers name those contacts too, unless they belong to another contact by now."""
        by_pk = {known.pk: known for known in self.everybody()}
        for alias in aliases:
            if known := by_pk.get(alias.contact_id):
                self.once_email.setdefault(alias.email, known)
                self.once_external_id.setdefault(alias.external_id, known)
        self.once_email.pop("", None)
        self.once_external_id.pop("", None)

    def who(self, email: str | None, external_id: str | None) -> KnownIdentity | None:
        """Return whom the identifiers name, or None. Raise InvalidItem when they name two contacts."""
        if email in self.erased:
            raise InvalidItem(
                "email", "was erased at the person's request and is not taken in again"
            )
        by_email = self.by_email.get(email or "") or self.once_email.get(email or "")
        by_external_id = self.by_external_id.get(external_id or "")
        by_external_id = by_external_id or self.once_external_id.get(external_id or "")
        if email in self.given_up:
            giver = self.given_up[email]
            _note_named(giver)
            raise InvalidItem("email", f"is given up by {giver} in this same batch: send it again")
        if by_email is None or external_id is None:
            return by_external_id or by_email
        if by_external_id is by_email or (by_external_id is None and not by_email.external_id):
            return by_email
        _note_named(by_email, by_external_id)
        if by_external_id is None:
            raise InvalidItem("external_id", f"is not that of {by_email}, whose email this is")
        raise InvalidItem(
            "external_id",
            f"two people: the email is of {by_email}, the external_id of {by_external_id}",
        )

    def make(self, email: str | None, external_id: str | None) -> KnownIdentity:
        if not self.trial:
            raise IdentityRace
        self.strangers.append((email, external_id))
        known = KnownIdentity(-len(self.strangers), email, external_id)
        self.note(known)
        return known

    def identify(self, known: KnownIdentity, email: str | None, external_id: str | None) -> None:
        """Give a contact identifiers that no other has. Its own stay where an alias names it."""
        if email not in self.by_email and email in self.once_email:
            email = None
        if external_id not in self.by_external_id and external_id in self.once_external_id:
            external_id = None
        after = email or known.email, external_id or known.external_id
        if after == (known.email, known.external_id):
            return
        if known.email and known.email != after[0]:
            self.given_up[known.email] = self.by_email.pop(known.email)
        known.email, known.external_id = after
        self.note(known)
        self.changed.add(known.pk)

    def everybody(self) -> Iterable[KnownIdentity]:
        return {
            known.pk: known for known in (*self.by_email.values(), *self.by_external_id.values())
        }.values()


def _note_named(*people: KnownIdentity | None) -> None:
    """Let the access log know whose identifiers a refusal names; those made in the batch are no reading."""
    note_people(known.pk for known in people if known and known.pk > 0)


def lock_people(
    items: Sequence[Item], meet: Callable[[IdentityMap, Item], object], at: datetime
) -> IdentityMap:
    """Lock all contacts that the items name: first all exist, then all are locked, in id order.

    `meet` finds, creates or rejects an item's contact. Two batches with the same new contacts wait for
    each other where these are created, so that neither has to begin again.
    """
    emails = {item.email for item in items} - {None}
    external_ids = {item.external_id for item in items} - {None}
    named = Q(email__in=emails) | Q(external_id__in=external_ids)
    identities = Contact.objects.filter(named).values_list("pk", "email", "external_id")
    trial = IdentityMap(KnownIdentity(*row) for row in identities)
    strange = [email for email in emails - trial.by_email.keys() if email]
    trial.erased = erased_addresses(strange)
    unknown = [one for one in external_ids - trial.by_external_id.keys() if one]
    aliases = _find_aliases(strange, unknown)
    if aliases:
        named |= Q(pk__in=[alias.contact_id for alias in aliases])
        identities = Contact.objects.filter(named).values_list("pk", "email", "external_id")
        erased, trial = trial.erased, IdentityMap(KnownIdentity(*row) for row in identities)
        trial.erased = erased
        trial.call(aliases)
    for item in items:
        with suppress(InvalidItem):
            meet(trial, item)
    made = _create_contacts(trial.strangers, at)
    people = IdentityMap(
        (KnownIdentity(*row) for row in identities.order_by("pk").select_for_update()), made
    )
    people.erased = trial.erased
    people.call(aliases)
    return people


def _find_aliases(emails: Collection[str], external_ids: Collection[str]) -> list[Alias]:
    """Find contacts that had these identifiers before they were merged."""
    if not emails and not external_ids:
        return []
    named = Q(email__in=emails) | Q(external_id__in=external_ids)
    return list(Alias.objects.filter(named).order_by("pk"))


def _create_contacts(strangers: Iterable[tuple[str | None, str | None]], at: datetime) -> set[int]:
    """Create contacts of nothing but identifiers; return the ids of those that were not there."""
    contacts = [
        Contact(email=email, external_id=external_id, created_at=at, updated_at=at)
        for email, external_id in strangers
    ]
    order: LiteralString = 'email COLLATE "C", external_id COLLATE "C"'
    return {
        pk
        for (pk,) in bulk_sql.bulk_insert(
            Contact, map(bulk_sql.column_values, contacts), order, "id"
        )
    }


def contacts_by_id(ids: Iterable[int]) -> dict[int, Contact]:
    return Contact.objects.select_related("company").in_bulk(list(ids))


def save_contacts(people: IdentityMap, contacts: Mapping[int, Contact], at: datetime) -> None:
    """Write contacts that changed, and keep what is known of them from now on.

    Every contact that was created for this batch must have changed: none may stay empty.
    """
    if not people.made <= people.changed:
        raise IdentityRace
    moves, moved = {}, []
    for known in people.everybody():
        if known.pk in people.changed:
            contact = contacts[known.pk]
            if contact.email != known.email:
                moved.append(known.pk)
                if contact.email and known.email:
                    moves[contact.email] = known.email
            contact.email, contact.external_id = known.email, known.external_id
            contact.updated_at = at
    changed = [contacts[pk] for pk in sorted(people.changed)]
    bulk_sql.bulk_update(Contact, changed, COLUMNS)
    record_profile_changes(changed, at)
    if moved:
        crm_state.drop_unlinked_states(moved)
    if moves:
        addresses_changed.send(Contact, moves=moves, at=at)


def record_profile_changes(contacts: Iterable[Contact], at: datetime) -> None:
    """Keep what is known of contacts from now on, for scores of any later instant."""
    changes = [
        {
            "contact_id": contact.pk,
            "at": at,
            "fields": profile_of(contact),
            "properties": contact.properties,
        }
        for contact in contacts
    ]
    if changes:
        bulk_sql.run_statement(REMEMBER, [bulk_sql.rows_as_json(changes)])
