"""The rep's task queue: whose tasks, what to do, and why."""

from collections import Counter
from datetime import datetime
from urllib.parse import urlencode

from ..moments import instant, iso
from ..store import Record
from .clean import clean
from .markup import Safe, fill, join
from .visit import Moved, Page, Visit, day, distance, name_of, owner_name, span

SHOWN = 50
NOBODY = "nobody"


def queue(visit: Visit) -> Page:
    done = visit.asked("show") == "done"
    tasks = [each for each in visit.store.live("tasks") if _is_done(each) == done]
    counts = Counter(_holder(each) for each in tasks)
    owner = visit.asked("owner") or _first(visit, counts)
    mine = [each for each in tasks if _holder(each) == owner]
    mine.sort(key=lambda each: each.properties["hs_timestamp"], reverse=done)
    limit = SHOWN * max(1, _whole(visit.asked("pages")))
    body = fill(
        "queue",
        tabs=_tabs(visit, counts, owner, done),
        open_link=_link(owner, done=False),
        done_link=_link(owner, done=True),
        open_now="" if done else "page",
        done_now="page" if done else "",
        tasks=join(card(visit, each) for each in mine[:limit]) or _empty(visit, owner, done),
        more=_more(visit, owner, done, limit) if len(mine) > limit else "",
    )
    return Page("Tasks", body)


def show(visit: Visit) -> Moved:
    """A task's own address leads to its place in the queue."""
    task = visit.record("tasks")
    return Moved(f"{_link(_holder(task), done=_is_done(task))}#task-{task.id}")


def set_status(visit: Visit) -> Moved:
    """Complete it, which is a contact with the lead too, or open it again."""
    task = visit.record("tasks")
    visit.change(task, {"hs_task_status": visit.form.get("status", "")})
    if _is_done(task):
        _contacted(visit, task)
    return Moved(visit.form.get("back", "/"))


def log_contact(visit: Visit) -> Moved:
    """The rep spoke with the lead, and there is more to do."""
    _contacted(visit, visit.record("tasks"))
    return Moved(visit.form.get("back", "/"))


def _contacted(visit: Visit, task: Record) -> None:
    """Past the checks: through the API nobody may set it."""
    for id_ in visit.store.linked(task, "contacts"):
        contact = visit.store.records["contacts"][id_]
        visit.store.write(contact, {"notes_last_contacted": iso(visit.at)}, visit.at)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1


def _is_done(task: Record) -> bool:
    return task.properties.get("hs_task_status") == "COMPLETED"


def _holder(task: Record) -> str:
    return task.properties.get("hubspot_owner_id", NOBODY)


def _first(visit: Visit, counts: Counter[str]) -> str:
    """The first rep with something to do, else the first rep."""
    active = [id_ for id_, owner in visit.store.owners.items() if not owner["archived"]]
    busy = [id_ for id_ in [*active, *counts] if counts[id_]]
    return next(iter([*busy, *active]), NOBODY)


def _tabs(visit: Visit, counts: Counter[str], chosen: str, done: bool) -> Safe:
    """A tab for each active rep, and for whoever else has tasks."""
    active = [id_ for id_, owner in visit.store.owners.items() if not owner["archived"]]
    holders = list(dict.fromkeys([*active, *sorted(counts), chosen]))
    return join(
        fill(
            "tab",
            link=_link(id_, done=done),
            name="No owner" if id_ == NOBODY else owner_name(visit.store, id_),
            count=counts[id_],
            now="page" if id_ == chosen else "",
        )
        for id_ in holders
    )


def _link(owner: str, *, done: bool, pages: int = 1) -> str:
    query = {"owner": owner} | ({"show": "done"} if done else {})
    return f"/?{urlencode(query | ({'pages': str(pages)} if pages > 1 else {}))}"


def _more(visit: Visit, owner: str, done: bool, limit: int) -> Safe:
    return fill("more", link=_link(owner, done=done, pages=limit // SHOWN + 1))


def _empty(visit: Visit, owner: str, done: bool) -> Safe:
    name = "Nobody" if owner == NOBODY else owner_name(visit.store, owner)
    text = "has completed no task yet." if done else "has nothing to do. New tasks appear here."
    return fill("empty", text=f"{name} {text}")


def card(visit: Visit, task: Record) -> Safe:
    """One task, with its body as its reader sees it."""
    held, done = task.properties, _is_done(task)
    due = instant(held["hs_timestamp"])
    late = not done and due < visit.at
    return fill(
        "task",
        id=task.id,
        subject=name_of(task),
        body=clean(held.get("hs_task_body", "")),
        type=_label(visit, "hs_task_type", held),
        priority=_label(visit, "hs_task_priority", held),
        level=held.get("hs_task_priority", "NONE").lower(),
        due=day(due),
        distance=_distance(due, visit.at, late),
        late="late" if late else "",
        about=_about(visit, task),
        owner=owner_name(visit.store, held.get("hubspot_owner_id")),
        status=_label(visit, "hs_task_status", held),
        next_status="NOT_STARTED" if done else "COMPLETED",
        action="Reopen" if done else "Complete",
        style="" if done else "primary",
        back=visit.here,
        log="" if done else fill("log_contact", id=task.id, back=visit.here),
    )


def _distance(due: datetime, now: datetime, late: bool) -> str:
    return f"overdue since {span(now - due)}" if late else distance(due, now)


def _label(visit: Visit, name: str, held: dict[str, str]) -> str:
    definition = visit.store.definitions["tasks"][name]
    labels = {each["value"]: each["label"] for each in definition["options"]}
    return str(labels.get(held.get(name, ""), ""))


def _about(visit: Visit, task: Record) -> Safe:
    found = [visit.store.find("contacts", id_) for id_ in visit.store.linked(task, "contacts")]
    return join(contact_link(each) for each in found if each) or fill("unlinked")


def contact_link(contact: Record) -> Safe:
    company = contact.properties.get("company", "")
    return fill(
        "contact_link",
        id=contact.id,
        name=name_of(contact),
        company=f"· {company}" if company else "",
    )
