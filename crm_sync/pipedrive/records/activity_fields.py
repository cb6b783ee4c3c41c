"""The values of an activity, and how they are read."""

from crm_sync.pipedrive.instants import instant_of
from crm_sync.pipedrive.records.lists import id_text, objects_of, text_at
from crm_sync.pipedrive.transport.client import Json
from crm_sync.port import CrmTask, HtmlText

READ = (
    "id",
    "subject",
    "note",
    "owner_id",
    "done",
    "marked_as_done_time",
    "update_time",
    "is_deleted",
    "participants",
    "person_id",
)


class PipedriveTaskText(HtmlText):
    """docs/pipedrive-facts.md#notes-of-activities"""

    __slots__ = ()
    longest = 60_000


def parse_activity(item: Json) -> CrmTask:
    """Return an activity as a task. Nothing there says that it was begun."""
    done = item.get("done") is True
    done_at = item.get("marked_as_done_time") or item.get("update_time")
    return CrmTask(
        task_id=id_text(item.get("id")),
        subject=text_at(item, "subject"),
        body=PipedriveTaskText(text_at(item, "note")),
        owner_id=id_text(item.get("owner_id")),
        done=done,
        done_at=instant_of(done_at) if done else None,
    )


def people_of_activity(item: Json) -> tuple[str, ...]:
    """Return the ids of the people of an activity, the primary one first.

    docs/pipedrive-facts.md#participants-of-activities
    """
    listed = [id_text(each.get("person_id")) for each in objects_of(item, "participants")]
    return tuple(id_ for id_ in dict.fromkeys([id_text(item.get("person_id")), *listed]) if id_)
