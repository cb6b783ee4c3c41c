"""What a contract test needs of the CRM itself, in neutral words: to put things there and to look.

An adapter's tests bring a class like this for their CRM.
"""

from datetime import datetime
from typing import Protocol


class OtherSide(Protocol):
    """`abilities`: which of these the CRM has.

    guard: an account refuses a second task of one reference. batch_of_100: one request makes a
    hundred tasks. started: a task tells whether the rep has begun. shared_tasks: a task hangs on
    several contacts. tasks_without_contact: a task outlives its contact. several_addresses: a record
    has several, all unique. lifecycle_order: the CRM itself moves no lifecycle stage back.
    former_ids: a read and a change tell the ids of records that were merged into one. lost_reason: a
    deal says why it was lost. retry_after: an answer says when to ask again. end_of_support: the last
    day of each call's support is known. short_pages: a page of the list of tasks holds less than 151.
    """

    abilities: frozenset[str]
    url: str
    token: str  # what the adapter under test is given to show
    stage_of_their_own: str  # a lifecycle stage there that is none of ours
    active_owner: str
    other_owner: str  # another who is active
    archived_owner: str
    open_stage: tuple[str, str]  # ids of pipeline and stage
    won_stage: tuple[str, str]
    lost_stage: tuple[str, str]

    @property
    def text_property(self) -> str:
        """A property of contacts that the account has."""

    @property
    def number_property(self) -> str: ...
    @property
    def lifecycle_property(self) -> str: ...
    def add_contact(self, email: str, *, owner_id: str = "", lifecycle_stage: str = "") -> str: ...
    def merge(self, kept: str, gone: str) -> str:
        """Two records become one; answers its id, which may be a new one."""

    def archive(self, record_id: str) -> None: ...
    def erase(self, record_id: str) -> None:
        """Delete a record for good, at the person's request."""

    def opt_out(self, record_id: str) -> None: ...
    def forbid_opting_out(self) -> None:
        """The credentials are good, but not for saying who wants no mail."""

    def value(self, record_id: str, name: str) -> str: ...
    def contacts(self) -> int: ...
    def add_deal(self, name: str, stage: tuple[str, str], *record_ids: str) -> str: ...
    def move_deal(self, deal_id: str, stage: tuple[str, str]) -> None: ...
    def archive_deal(self, deal_id: str) -> None: ...
    def restore_deal(self, deal_id: str) -> None: ...
    def import_many(self, kind: str, many: int) -> list[str]:
        """New records, "contacts" or "deals", that all changed in one instant; their ids."""

    def explain_loss(self, deal_id: str, reason: str) -> None:
        """Somebody in sales writes why a deal was lost."""

    def add_tasks(self, record_id: str, many: int) -> None: ...
    def finish(self, task_id: str) -> None: ...
    def begin(self, task_id: str) -> None:
        """The rep starts with a task."""

    def delete_task(self, task_id: str) -> None: ...
    def associate(self, task_id: str, record_ids: list[str]) -> None: ...
    def tasks(self) -> list[str]:
        """The subjects of all tasks."""

    def employ(self, record_id: str, owner_id: str) -> None:
        """Give a contact a company, which may have an owner."""

    def touch(self, record_id: str, at: datetime) -> None:
        """Somebody in sales spoke or wrote to a contact."""

    def remove_property(self, name: str) -> None: ...
    def hide_companies(self) -> None:
        """The credentials are good, but not for companies."""

    def forbid_writing(self) -> None:
        """The credentials are good, but only for reading contacts and tasks."""

    def be_busy(self, seconds: int) -> None:
        """Refuse the next request, as one too many."""

    def go_silent(self) -> None:
        """Do what the next request asks, and cut the connection instead of answering."""

    def refuse(self, *, times: int) -> None:
        """Refuse the next requests that make tasks, each as a whole, and say nothing of why."""

    def requests(self) -> int:
        """How many requests there have been."""

    def revoke(self) -> None:
        """The credentials are no longer good."""
