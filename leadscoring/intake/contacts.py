"""People in: made, brought up to date, or found to be known already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leadscoring.intake import companies, touches, validation
from leadscoring.intake.people import (
    IdentityMap,
    KnownIdentity,
    contacts_by_id,
    lock_people,
    retry_on_race,
    save_contacts,
)
from leadscoring.intake.rejections import Rejection, split_rejected
from leadscoring.intake.validation import InvalidItem, PersonItem
from leadscoring.models import Company, Contact
from leadscoring.scoring import rescore

TEXTS = ("first_name", "last_name", "job_title", "phone", "country")


@dataclass(slots=True)
class TakenContacts:
    """How many items created a contact, changed one or said nothing new; and which contacts differ."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    contact_ids: set[int] = field(default_factory=set)

    @property
    def taken(self) -> int:
        return self.created + self.updated + self.unchanged


def take_contacts(
    items: Sequence[object], at: datetime, scored: bool = True, fixed: bool = False
) -> TakenContacts:
    """Take in contacts, at most some thousand at a time, and bring their scores up to date.

    `scored`: False for a dry run, which is rolled back. `fixed`: an id moves nobody to another address
    (a file may count its rows).
    """
    checked, rejected = split_rejected(enumerate(items), validation.validate_person)

    def work() -> TakenContacts:
        taken = _store_contacts(checked, at, fixed)
        if scored:
            rescore(sorted(taken.contact_ids), at)
        return taken

    taken = retry_on_race(work) if checked else TakenContacts()
    taken.rejected = sorted([*rejected, *taken.rejected])
    return taken


def _store_contacts(
    persons: Sequence[tuple[int, PersonItem]], at: datetime, fixed: bool
) -> TakenContacts:
    known_companies = companies.companies_by_name((person.company for _, person in persons), at)
    people = lock_people([person for _, person in persons], _resolve_contact, at, fixed)
    contacts = contacts_by_id(known.pk for known in people.everybody())
    taken = TakenContacts()
    for index, person in persons:
        try:
            _apply_item(person, people, contacts, known_companies, taken)
        except InvalidItem as refused:
            taken.rejected.append(Rejection(index, refused.field, refused.message))
    save_contacts(people, contacts, at)
    if taken.rejected and known_companies:
        companies.delete_unused_companies(known_companies.values(), at)
    taken.contact_ids = people.changed
    return taken


def _resolve_contact(people: IdentityMap, person: PersonItem) -> KnownIdentity:
    """Find an item's contact; create an unknown one, take over a new or missing identifier."""
    known = people.who(person.email, person.identifier)
    if known is None:
        return people.make(person.email, person.identifier)
    people.identify(known, person.email, person.identifier)
    return known


def _apply_item(
    person: PersonItem,
    people: IdentityMap,
    contacts: Mapping[int, Contact],
    known_companies: Mapping[str, Company],
    taken: TakenContacts,
) -> None:
    """Bring one contact up to date with an item, and count what became of it."""
    known = people.who(person.email, person.identifier)
    facts = _merge_properties(contacts[known.pk].properties if known else {}, person.properties)
    made = known is not None and known.pk in people.made - people.changed
    before = known and known.names
    known = _resolve_contact(people, person)
    new = _fill_contact(contacts[known.pk], person, known_companies, facts)
    if made:
        taken.created += 1
    elif new or before != known.names:
        taken.updated += 1
    else:
        taken.unchanged += 1
        return
    people.changed.add(known.pk)


def _merge_properties(
    before: Mapping[str, object], given: Mapping[str, object] | None
) -> dict[str, object]:
    """Merge key by key; None removes a key. The whole keeps the bounds of a part."""
    together = {**before, **(given or {})}
    kept = {key: value for key, value in together.items() if value is not None}
    if given:
        try:
            validation.check_properties({key: kept[key] for key in kept.keys() - touches.NAMES})
        except ValueError as wrong:
            raise InvalidItem("properties", f"together with those known already, {wrong}") from None
    return kept


def _fill_contact(
    contact: Contact, person: PersonItem, known: Mapping[str, Company], facts: dict[str, object]
) -> bool:
    """Give a contact the fields of an item; return whether any of them is new."""
    given = {name: getattr(person, name) or "" for name in TEXTS if name in person.model_fields_set}
    new: dict[str, object] = {
        name: text for name, text in given.items() if getattr(contact, name) != text
    }
    if facts != contact.properties:
        new["properties"] = facts
    if "company" in person.model_fields_set:
        company = known[person.company] if person.company else None
        if (company and company.pk) != contact.company_id:
            new["company"] = company
    for name, value in new.items():
        setattr(contact, name, value)
    return bool(new)
