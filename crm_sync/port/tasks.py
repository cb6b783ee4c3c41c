"""The tasks that notify a rep of a lead."""

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
    """The tasks that notify a rep of a lead."""

    def create_tasks(
        self,
        writes: Sequence[CrmTaskWrite],
        *,
        guarded: bool = False,
        until: float | None = None,
    ) -> Mapping[str, CrmTask | CrmError]:
        """Create tasks that are associated with their contact. Return by trace.

        `until`: the reading of time.monotonic() after which nothing may be sent. It is checked
        immediately before sending; past it, CrmBusy is raised.

        `guarded`: the account refuses a second task of one reference (see `guards_tasks`): a repeat
        is safe and returns the existing task. Otherwise it is NOT safe to repeat, and after
        CrmSilent the caller must search first.
        """

    def guards_tasks(self) -> bool:
        """Return whether the account is set up to refuse a second task of one reference."""

    def tasks_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmTask]]:
        """Return all tasks of contacts by record id (read-after-write, never from a search index)."""

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, CrmTask]:
        """Return those that exist, by id."""

    def archived_tasks(self, task_ids: Sequence[str]) -> set[str]:
        """Return the ids of those that were recently deleted."""

    def list_tasks(self, marker: str, place: str = "") -> CrmTaskPage:
        """Read one page of all tasks from a place on: those with `marker` in their body, with their
        associated contacts. A place may be hours old; tasks created meanwhile come last.
        """

    def change_tasks(self, changes: Sequence[CrmTaskChange]) -> Mapping[str, CrmTask | CrmError]:
        """Change tasks; return by task id. Idempotent.

        An owner that the CRM does not accept is a CrmOwnerRejected.
        """

    def associate_tasks(self, record_of: Mapping[str, str]) -> None:
        """Associate tasks with contacts: task id -> record id. Idempotent."""

    def archive_tasks(self, task_ids: Sequence[str]) -> None:
        """Delete tasks in a way that a person can still undo. Idempotent."""
