"""The tasks that tell a rep of a lead."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from crm_sync.port.errors import CrmError
from crm_sync.port.records import (
    CrmTask,
    CrmTaskChange,
    CrmTaskPage,
    CrmTaskWrite,
)


class CrmTasks(Protocol):
    """The tasks that tell a rep of a lead."""

    def create_tasks(
        self,
        writes: Sequence[CrmTaskWrite],
        *,
        guarded: bool = False,
        until: float | None = None,
    ) -> Mapping[str, CrmTask | CrmError]:
        """Make tasks that hang on their contact.

        `until`: the reading of time.monotonic() after which nothing may be sent any more; it is
        asked immediately before sending, and then CrmBusy is raised.

        `guarded`: the account refuses a second task of one reference (see `guards_tasks`): asking
        again is safe and answers the task that is there. Otherwise it is NOT safe to repeat, and
        CrmSilent means look first.
        """

    def guards_tasks(self) -> bool:
        """Whether the account is set up to refuse a second task of one reference."""

    def tasks_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmTask]]:
        """All tasks of contacts, read after write (never from a search index)."""

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, CrmTask]:
        """Those of them that are there."""

    def archived_tasks(self, task_ids: Sequence[str]) -> set[str]:
        """Those of them that somebody has deleted of late."""

    def list_tasks(self, marker: str, place: str = "") -> CrmTaskPage:
        """Read one page of the list of all tasks from a place on: those with a text in their body,
        with the contacts they hang on. A place may be hours old; what is made meanwhile comes last.
        """

    def change_tasks(self, changes: Sequence[CrmTaskChange]) -> Mapping[str, CrmTask | CrmError]:
        """By task id; safe to repeat."""

    def associate_tasks(self, record_of: Mapping[str, str]) -> None:
        """Put tasks on contacts: task id -> record id; safe to repeat."""

    def archive_tasks(self, task_ids: Sequence[str]) -> None:
        """Delete tasks, so that a person can still restore them; safe to repeat."""
