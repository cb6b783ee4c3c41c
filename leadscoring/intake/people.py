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
from leadscoring.intake.journal import note_people_before
from leadscoring.intake.validation import ActivityItem, InvalidItem, PersonItem
from leadscoring.models import Alias, Contact, Identifier
from leadscoring.scoring import profile_of
from leadscoring.signals import addresses_changed

T = TypeVar("T")
Item = TypeVar("Item", PersonItem, ActivityItem)
Id = tuple[str, str]  # namespace and id; the company's own namespace is ""
TIMES = 10
COLUMNS = (
    "email", "external_id", "first_name", "last_name", "company_id", "job_title", "phone",
    "country", "properties", "updated_at",
)  # fmt: skip

IDENTIFIERS = """
    SELECT contact_id, source, value FROM leadscoring_identifier
    JOIN unnest(%s::text[], %s::text[]) AS asked(source, value) USING (source, value)
"""
ANOTHER_ADDRESS = (
    "is that of {}, who has another address, and such an id changes none: "
    "if another program or file counts these ids, give them an id_source of their own"
)

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
    """The identifiers of a contact. Lighter than the whole row, of which most batches need no more.

    `others`: those ids of other sources that the batch speaks of.
    """

    pk: int
    email: str | None
    external_id: str | None
    others: frozenset[Id] = frozenset()

    def __str__(self) -> str:
        others = (f"{source} {value}" for source, value in sorted(self.others))
        names = [*filter(None, (self.email, self.external_id)), *others]
        return f"contact {self.pk} ({' '.join(names)})"

    @property
    def names(self) -> tuple[object, ...]:
        return self.email, self.external_id, self.others


class IdentityMap:
    """Contacts by identifier, as a batch goes through them.

    `fixed`: no id moves anybody to another address. Those of other sources never do.
    """

    def __init__(
        self, found: Iterable[KnownIdentity], fixed: bool, made: set[int] | None = None
    ) -> None:
        self.by_email: dict[str, KnownIdentity] = {}
        self.by_id: dict[Id, KnownIdentity] = {}
        self.given_up: dict[str, KnownIdentity] = {}
        self.once_email: dict[str, KnownIdentity] = {}
        self.once_id: dict[Id, KnownIdentity] = {}
        self.erased: set[str] = set()
        self.strangers: list[tuple[str | None, Id | None]] = []
        self.new_ids: dict[Id, KnownIdentity] = {}
        self.fixed = fixed
        self.trial = made is None  # only to find out which contacts to create
        self.made = made or set()
        self.changed: set[int] = set()
        self.by_pk: dict[int, KnownIdentity] = {}
        for known in found:
            self.note(known)

    def note(self, known: KnownIdentity) -> None:
        self.by_pk[known.pk] = known
        if known.email:
            self.by_email[known.email] = known
        if known.external_id:
            self.by_id["", known.external_id] = known
        for identifier in known.others:
            self.by_id[identifier] = known

    def attach(self, identifiers: Iterable[Identifier]) -> None:
        """Let the ids of other sources name their contacts; raise IdentityRace for one unknown here."""
        for row in identifiers:
            known = self.by_pk.get(row.contact_id)
            if known is None:
                raise IdentityRace
            known.others |= {(row.source, row.value)}
            self.note(known)

    def call(self, aliases: Iterable[Alias]) -> None:
        """Let these identifiers name those contacts too, unless they belong to another contact by now."""
        for alias in aliases:
            if known := self.by_pk.get(alias.contact_id):
                self.once_email.setdefault(alias.email, known)
                self.once_id.setdefault(("", alias.external_id), known)
        self.once_email.pop("", None)
        self.once_id.pop(("", ""), None)

    def who(self, email: str | None, identifier: Id | None) -> KnownIdentity | None:
        """Return whom the identifiers name, or None. Raise InvalidItem when they name two contacts."""
        if email in self.erased:
            raise InvalidItem(
                "email", "was erased at the person's request and is not taken in again"
            )
        by_email = self.by_email.get(email or "") or self.once_email.get(email or "")
        by_id = identifier and (self.by_id.get(identifier) or self.once_id.get(identifier))
        if email in self.given_up:
            giver = self.given_up[email]
            _note_named(giver)
            raise InvalidItem("email", f"is given up by {giver} in this same batch: send it again")
        if by_email is None or identifier is None:
            if by_id and email and by_id.email and identifier and (self.fixed or identifier[0]):
                _note_named(by_id)
                raise InvalidItem("external_id", ANOTHER_ADDRESS.format(by_id))
            return by_id or by_email
        # Of the ids of another source a person may have several.
        free = identifier[0] or not by_email.external_id
        if by_id is by_email or (by_id is None and free):
            return by_email
        _note_named(by_email, by_id)
        if by_id is None:
            raise InvalidItem("external_id", f"is not that of {by_email}, whose email this is")
        raise InvalidItem(
            "external_id",
            f"two people: the email is of {by_email}, the external_id of {by_id}",
        )

    def make(self, email: str | None, identifier: Id | None) -> KnownIdentity:
        if not self.trial:
            raise IdentityRace
        self.strangers.append((email, identifier))
        known = KnownIdentity(-len(self.strangers), email, None)
        _give_id(known, identifier)
        self.note(known)
        return known

    def identify(self, known: KnownIdentity, email: str | None, identifier: Id | None) -> None:
        """Give a contact identifiers that no other has. Its own stay where an alias names it."""
        if email not in self.by_email and email in self.once_email:
            email = None
        if identifier not in self.by_id and identifier in self.once_id:
            identifier = None
        before, former = known.names, known.email
        known.email = email or known.email
        _give_id(known, identifier)
        if known.names == before:
            return
        if former and former != known.email:
            self.given_up[former] = self.by_email.pop(former)
        if identifier and identifier[0] and identifier not in self.by_id:
            self.new_ids[identifier] = known
        self.note(known)
        self.changed.add(known.pk)

    def everybody(self) -> Iterable[KnownIdentity]:
        return self.by_pk.values()


def _give_id(known: KnownIdentity, identifier: Id | None) -> None:
    if identifier and identifier[0]:
        known.others |= {identifier}
    elif identifier:
        known.external_id = identifier[1]


def _note_named(*people: KnownIdentity | None) -> None:
    """Let the access log know whose identifiers a refusal names; those made in the batch are no reading."""
    note_people(known.pk for known in people if known and known.pk > 0)


def lock_people(
    items: Sequence[Item],
    meet: Callable[[IdentityMap, Item], object],
    at: datetime,
    fixed: bool = False,
) -> IdentityMap:
    """Lock all contacts that the items name: first all exist, then all are locked, in id order.

    `meet` finds, creates or rejects an item's contact. Two batches with the same new contacts wait for
    each other where these are created, so that neither has to begin again.
    """
    emails = {item.email for item in items if item.email}
    ids = {item.identifier for item in items if item.identifier}
    others = {(source, value) for source, value in ids if source}
    named = Q(email__in=emails) | Q(external_id__in={value for source, value in ids if not source})
    known_ids = _find_identifiers(others)
    named |= _is_one_of({row.contact_id for row in known_ids})
    trial = _read_identities(named, known_ids, fixed)
    erased = erased_addresses(emails - trial.by_email.keys())
    aliases = _find_aliases(emails - trial.by_email.keys(), ids - trial.by_id.keys())
    if aliases:
        named |= _is_one_of({alias.contact_id for alias in aliases})
        trial = _read_identities(named, known_ids, fixed)
        trial.call(aliases)
    trial.erased = erased
    for item in items:
        with suppress(InvalidItem):
            meet(trial, item)
    made = _create_contacts(trial.strangers, at)
    rows = Contact.objects.filter(named | _is_one_of(made)).order_by("pk").select_for_update()
    identities = rows.values_list("pk", "email", "external_id")
    people = IdentityMap((KnownIdentity(*row) for row in identities), fixed, made)
    people.attach(_find_identifiers(others))
    people.erased = erased
    people.call(aliases)
    return people


def _is_one_of(contact_ids: Collection[int]) -> Q:
    return Q(pk__in=contact_ids) if contact_ids else Q()


def _read_identities(named: Q, identifiers: Iterable[Identifier], fixed: bool) -> IdentityMap:
    rows = Contact.objects.filter(named).values_list("pk", "email", "external_id")
    found = IdentityMap((KnownIdentity(*row) for row in rows), fixed)
    found.attach(identifiers)
    return found


def _find_identifiers(ids: Collection[Id]) -> list[Identifier]:
    """Find the rows of ids of other sources."""
    if not ids:
        return []
    sources, values = zip(*ids, strict=True)
    found = bulk_sql.run_statement(IDENTIFIERS, [list(sources), list(values)])
    return [Identifier(contact_id=pk, source=source, value=value) for pk, source, value in found]


def _find_aliases(emails: Collection[str], ids: Collection[Id]) -> list[Alias]:
    """Find contacts that had these identifiers before they were merged."""
    own = {value for source, value in ids if not source}
    if not emails and not own:
        return []
    named = Q(email__in=emails) | Q(external_id__in=own)
    return list(Alias.objects.filter(named).order_by("pk"))


def _create_contacts(strangers: Iterable[tuple[str | None, Id | None]], at: datetime) -> set[int]:
    """Create contacts of nothing but identifiers; return the ids of those that were not there."""
    by_name, by_other_id = [], []
    for email, identifier in strangers:
        own = identifier[1] if identifier and not identifier[0] else None
        contact = Contact(email=email, external_id=own, created_at=at, updated_at=at)
        if email or own:
            by_name.append(contact)
        elif identifier:
            by_other_id.append((identifier, contact))
    made = _insert_contacts(by_name)
    alone = _insert_contacts([contact for _, contact in by_other_id])
    ids = dict(zip(sorted(identifier for identifier, _ in by_other_id), alone, strict=True))
    _insert_identifiers(ids)
    return {*made, *alone}


def _insert_contacts(contacts: Iterable[Contact]) -> list[int]:
    order: LiteralString = 'email COLLATE "C", external_id COLLATE "C"'
    rows = bulk_sql.bulk_insert(Contact, map(bulk_sql.column_values, contacts), order, "id")
    return [pk for (pk,) in rows]


def _insert_identifiers(ids: Mapping[Id, int]) -> None:
    """Let ids of other sources name contacts. Raise IdentityRace when one was taken meanwhile."""
    rows = [
        {"contact_id": contact_id, "source": source, "value": value}
        for (source, value), contact_id in ids.items()
    ]
    order: LiteralString = 'source COLLATE "C", value COLLATE "C"'
    if len(bulk_sql.bulk_insert(Identifier, rows, order, "id")) < len(rows):
        raise IdentityRace


def contacts_by_id(ids: Iterable[int]) -> dict[int, Contact]:
    return Contact.objects.select_related("company").in_bulk(list(ids))


def save_contacts(people: IdentityMap, contacts: Mapping[int, Contact], at: datetime) -> None:
    """Write contacts that changed, and keep what is known of them from now on.

    Every contact that was created for this batch must have changed: none may stay empty.
    """
    if not people.made <= people.changed:
        raise IdentityRace
    new_ids = {identifier: known.pk for identifier, known in people.new_ids.items()}
    note_people_before(people.changed, people.made, new_ids)
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
    _insert_identifiers(new_ids)
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
