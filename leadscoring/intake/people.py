"""The people a batch speaks of: found by either identifier, locked, new ones made."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q
from psycopg.errors import DeadlockDetected

from leadscoring.checks import Refused
from leadscoring.intake import rows
from leadscoring.models import Contact, ProfileChange
from leadscoring.scoring import profile_of

T = TypeVar("T")
TIMES = 10

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


class LostRace(Exception):
    """Somebody else made one of our new people a moment ago."""


def until_won(work: Callable[[], T]) -> T:
    """Do a batch in one transaction, and again if others took in the same people meanwhile.

    What was lost is rolled back whole; the next time the others' rows are simply there.
    """
    for _ in range(TIMES - 1):
        try:
            with transaction.atomic():
                return work()
        except (LostRace, IntegrityError):
            continue
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
    with transaction.atomic():
        return work()


class People:
    """Contacts by identifier, and what became of them in this batch."""

    def __init__(self, found: Iterable[Contact]) -> None:
        self.by_email: dict[str, Contact] = {}
        self.by_external_id: dict[str, Contact] = {}
        self.given_up: dict[str, Contact] = {}
        self.new: list[Contact] = []
        self.changed: dict[int, Contact] = {}
        for contact in found:
            self.note(contact)

    @classmethod
    def locked(cls, emails: Iterable[str | None], external_ids: Iterable[str | None]) -> "People":
        """Those known by any of the identifiers, locked in id order as everywhere."""
        either = Q(email__in=set(emails) - {None}) | Q(external_id__in=set(external_ids) - {None})
        found = Contact.objects.filter(either).select_related("company").order_by("pk")
        return cls(found.select_for_update(of=("self",)))

    def note(self, contact: Contact) -> None:
        if contact.email:
            self.by_email[contact.email] = contact
        if contact.external_id:
            self.by_external_id[contact.external_id] = contact

    def who(self, email: str | None, external_id: str | None) -> Contact | None:
        """Whom the identifiers name; None when nobody. Refused when they name two people."""
        by_email = self.by_email.get(email or "")
        by_external_id = self.by_external_id.get(external_id or "")
        if email in self.given_up:
            raise Refused(
                "email",
                f"is given up by {named(self.given_up[email])} in this same batch: send it again",
            )
        if by_email is None or external_id is None:
            return by_external_id or by_email
        if by_external_id is None and by_email.external_id is None:
            return by_email
        if by_external_id is by_email:
            return by_email
        other = (
            named(by_external_id) if by_external_id else f"nobody, and not {by_email.external_id}"
        )
        raise Refused(
            "external_id",
            f"two people: the e-mail address is of {named(by_email)}, the external_id of {other}",
        )

    def make(self, email: str | None, external_id: str | None, at: datetime) -> Contact:
        contact = Contact(email=email, external_id=external_id, created_at=at, updated_at=at)
        self.new.append(contact)
        self.note(contact)
        return contact

    def identify(self, contact: Contact, email: str | None, external_id: str | None) -> bool:
        """Give a contact identifiers that are nobody else's; answers whether that was news."""
        before = contact.email, contact.external_id
        after = email or contact.email, external_id or contact.external_id
        if after == before:
            return False
        if contact.email and contact.email != after[0]:
            self.given_up[contact.email] = self.by_email.pop(contact.email)
        contact.email, contact.external_id = after
        self.note(contact)
        self.change(contact)
        return True

    def change(self, contact: Contact) -> None:
        if contact.pk:
            self.changed[contact.pk] = contact

    def different(self) -> list[Contact]:
        return [*self.changed.values(), *self.new]

    def save(self, columns: list[str], at: datetime) -> None:
        """Write the changed ones and then the new ones, which get their ids."""
        for contact in self.changed.values():
            contact.updated_at = at
        rows.update(list(self.changed.values()), [*columns, "updated_at"])
        made = rows.insert(
            self.new,
            order='email COLLATE "C", external_id COLLATE "C"',
            answer="id, email, external_id",
        )
        if len(made) < len(self.new):
            raise LostRace
        for contact_id, email, external_id in made:
            self.of(email, external_id).pk = contact_id

    def of(self, email: str | None, external_id: str | None) -> Contact:
        return self.by_email[email] if email else self.by_external_id[external_id or ""]


def remember(contacts: Iterable[Contact], at: datetime) -> None:
    """Keep what is known of contacts from now on, for scores of any later instant."""
    changes = [
        ProfileChange(
            contact_id=contact.pk,
            at=at,
            fields=profile_of(contact),
            properties=contact.properties,
        )
        for contact in contacts
    ]
    if changes:
        rows.ask(REMEMBER, [rows.as_json(changes)])


def named(contact: Contact) -> str:
    identifiers = " ".join(filter(None, (contact.email, contact.external_id)))
    return (
        f"contact {contact.pk} ({identifiers})" if contact.pk else f"the new contact {identifiers}"
    )
