"""People in: made, brought up to date, or found to be known already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leadscoring import checks
from leadscoring.checks import PersonIn, Refused
from leadscoring.intake import companies
from leadscoring.intake.people import People, remember, until_won
from leadscoring.intake.rejections import Rejection, sorted_out
from leadscoring.models import Company, Contact
from leadscoring.scoring import rescore

TEXTS = ("first_name", "last_name", "job_title", "phone", "country")
COLUMNS = ["email", "external_id", *TEXTS, "company_id", "properties"]


@dataclass(slots=True)
class TakenContacts:
    """How many items made somebody, changed somebody or said nothing new; and who is different."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    contact_ids: set[int] = field(default_factory=set)

    @property
    def taken(self) -> int:
        return self.created + self.updated + self.unchanged


def take_contacts(items: Sequence[object], at: datetime, scored: bool = True) -> TakenContacts:
    """Take in people, at most some thousand at a time, and bring their scores up to date.

    `scored`: False for those who only want to know what would be taken, and roll it back.
    """
    checked, rejected = sorted_out(enumerate(items), checks.person)

    def work() -> TakenContacts:
        taken = store(checked, at)
        if scored:
            rescore(sorted(taken.contact_ids), at)
        return taken

    taken = until_won(work) if checked else TakenContacts()
    taken.rejected = sorted([*rejected, *taken.rejected])
    return taken


def store(persons: Sequence[tuple[int, PersonIn]], at: datetime) -> TakenContacts:
    known_companies = companies.by_name((person.company for _, person in persons), at)
    people = People.locked(
        (person.email for _, person in persons), (person.external_id for _, person in persons)
    )
    taken = TakenContacts()
    for index, person in persons:
        try:
            merge(person, people, known_companies, taken, at)
        except Refused as refused:
            taken.rejected.append(Rejection(index, refused.field, refused.message))
    people.save(COLUMNS, at)
    remember(people.different(), at)
    taken.contact_ids = {contact.pk for contact in people.different()}
    return taken


def merge(
    person: PersonIn,
    people: People,
    known_companies: Mapping[str, Company],
    taken: TakenContacts,
    at: datetime,
) -> None:
    contact = people.who(person.email, person.external_id)
    facts = merged_properties(contact.properties if contact else {}, person.properties)
    if contact is None:
        contact = people.make(person.email, person.external_id, at)
        taken.created += 1
        fill(contact, person, known_companies, facts)
        return
    renamed = people.identify(contact, person.email, person.external_id)
    if fill(contact, person, known_companies, facts) or renamed:
        people.change(contact)
        taken.updated += 1
    else:
        taken.unchanged += 1


def merged_properties(
    before: Mapping[str, object], given: Mapping[str, object] | None
) -> dict[str, object]:
    """Key by key; None takes a key away. The whole keeps the bounds of a part."""
    together = {**before, **(given or {})}
    kept = {key: value for key, value in together.items() if value is not None}
    if given:
        try:
            checks.properties(kept)
        except ValueError as wrong:
            raise Refused("properties", f"together with those known already, {wrong}") from None
    return kept


def fill(
    contact: Contact, person: PersonIn, known: Mapping[str, Company], facts: dict[str, object]
) -> bool:
    """Give a contact the fields that were given; answers whether any of them is new."""
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
