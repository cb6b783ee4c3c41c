"""What the pages ask of a CRM: its records as a rep sees them, and what a rep may do with them.

Names of form fields are the CRM's own, so that a form says the same as its API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Owner:
    """`user_id`: another number for the same person, where the CRM has one."""

    id: str
    name: str
    email: str
    active: bool
    contacts: int = 0
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A select of a form. `empty`: what no value is called; None where there must be one."""

    field: str
    label: str
    options: Mapping[str, str]
    value: str = ""
    empty: str | None = None

    @property
    def shown(self) -> Mapping[str, str]:
        """A chosen value that is no choice any more stays visible."""
        first = {} if self.empty is None else {"": self.empty}
        return {
            **first,
            **self.options,
            **({} if self.value in self.options or not self.value else {self.value: self.value}),
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Properties under one heading: (label, name, value as people read it)."""

    label: str
    rows: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Contact:
    id: str
    name: str
    email: str = ""
    company: str = ""
    job: str = ""
    stage: str = ""
    score: str = ""
    owner: str = ""
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """`level`: none, low, medium or high. `next_status`: what the button sends."""

    id: str
    subject: str
    body: str
    facts: Sequence[str]
    level: str
    due: datetime
    done: bool
    next_status: str
    owner_id: str
    owner: str
    contacts: Sequence[Contact] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """`kind`: open, won or lost."""

    id: str
    label: str
    kind: str
    odds: float
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    id: str
    label: str
    stages: Sequence[Stage]


@dataclass(frozen=True, slots=True)
class Deal:
    id: str
    name: str
    amount: str
    pipeline: Pipeline
    stage_id: str
    owner: Choice
    contacts: Sequence[Contact] = ()


@dataclass(frozen=True, slots=True)
class ContactPage:
    contact: Contact
    choices: Sequence[Choice]
    owner: Choice
    groups: Sequence[Group] = field(default_factory=list)
    tasks: Sequence[Task] = ()
    deals: Sequence[Deal] = ()


@dataclass(frozen=True, slots=True)
class DealFields:
    """Names of the fields of a deal's form."""

    name: str
    amount: str
    stage: str
    owner: str


class Desk(Protocol):
    """Whatever does not exist, or may not be, raises Refused."""

    account: str
    deal_fields: DealFields

    def owners(self) -> Sequence[Owner]: ...
    def archive_owner(self, owner_id: str, archived: bool) -> None: ...

    def contacts(self, words: str, most: int) -> tuple[int, Sequence[Contact]]:
        """How many match, and the newest of them."""

    def contact(self, record_id: str) -> ContactPage:
        """The contact, archived ones and the successor of a merged one too."""

    def change_contact(self, record_id: str, form: Mapping[str, str]) -> None: ...
    def archive_contact(self, record_id: str, archived: bool) -> None: ...
    def make_deal(self, record_id: str, form: Mapping[str, str]) -> None: ...

    def tasks(self) -> Sequence[Task]: ...
    def task(self, record_id: str) -> Task: ...
    def set_task(self, record_id: str, status: str) -> None:
        """Complete it, which is a contact with the lead too, or open it again."""

    def log_contact(self, record_id: str) -> None:
        """The rep spoke with the lead, and there is more to do."""

    def pipelines(self) -> Sequence[Pipeline]: ...
    def deals(self, pipeline_id: str) -> Sequence[Deal]: ...
    def deal(self, record_id: str) -> Deal: ...
    def change_deal(self, record_id: str, form: Mapping[str, str]) -> None: ...
