"""The pages for people: whoever tries things out plays the rep here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from ..control import NotOwn, check_near, check_own
from ..desk import NOBODY, Desk
from ..http import Answer, Request
from ..refusals import Refused
from . import words

if TYPE_CHECKING:
    from ..standin import Standin

HERE = Path(__file__).parent
FILES = {
    "sandbox.css": "text/css; charset=utf-8",
    "sandbox.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
SECURE = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
TEMPLATES.filters |= {
    name: getattr(words, name) for name in ("clean", "day", "due_in", "money", "percent", "times")
}
MOST_CARDS, MOST_TASKS, MOST_CONTACTS = 50, 50, 100
USUAL_PERCENT = 5


@dataclass(frozen=True, slots=True)
class Moved:
    """Go on at another page (after a change: so that a reload repeats nothing)."""

    to: str


@dataclass(frozen=True, slots=True)
class Visit:
    standin: Standin
    request: Request
    desk: Desk
    id: str = ""

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in self.request.form.lists()}

    def show(self, template: str, title: str, **values: Any) -> Answer:
        return _page(self.standin, 200, template, title, visit=self, **values)

    @property
    def here(self) -> str:
        """The page's address, with its query."""
        query = self.request.query_string.decode(errors="replace")
        return f"{self.request.path}?{query}" if query else self.request.path


def answer(standin: Standin, request: Request) -> Answer:
    name = request.path.removeprefix("/static/")
    if name in FILES:
        kind = {"Content-Type": FILES[name]}
        return Answer((HERE / "static" / name).read_bytes(), 200, SECURE | kind)
    try:
        check_own(request, standin.host)
        page, found = PAGES.bind("", "/").match(request.path, request.method)
        if request.path.startswith("/trouble"):
            check_near(request)
        with standin.state.lock:
            visit = Visit(standin, request, standin.desk(request), found.get("id", ""))
            shown: Answer | Moved = page(visit)
    except NotOwn as error:
        return _problem(standin, 403, str(error))
    except HTTPException:
        return _problem(standin, 404, "There is no such page.")
    except Refused as refused:
        return _problem(standin, refused.status, refused.message)
    if isinstance(shown, Moved):
        return Answer(b"", 303, SECURE | {"Location": _local(shown.to)})
    return shown


def _local(to: str) -> str:
    """Never lead anybody to another site."""
    local = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if local else "/"


def _problem(standin: Standin, status: int, text: str) -> Answer:
    return _page(standin, status, "problem", "That did not work", text=text)


def _page(standin: Standin, status: int, template: str, title: str, **values: Any) -> Answer:
    with standin.state.lock:
        html = TEMPLATES.get_template(f"{template}.html").render(
            title=title,
            section=template,
            crm=standin.crm,
            portal=standin.state.account_name,
            on=standin.trouble.count(standin.state),
            **values,
        )
    kind = {"Content-Type": "text/html; charset=utf-8"}
    return Answer(html.encode(errors="replace"), status, SECURE | kind)


# Tasks


def show_queue(visit: Visit) -> Answer:
    """The tasks of one rep: the first with something to do unless one is chosen."""
    done = visit.request.asked("show") == "done"
    tasks = [task for task in visit.desk.tasks() if task.done == done]
    counts = Counter(task.owner_id or NOBODY for task in tasks)
    names = {owner.id: owner.name for owner in visit.desk.owners()} | {NOBODY: "No owner"}
    active = [owner.id for owner in visit.desk.owners() if owner.active]
    busy = [holder for holder in [*active, *counts] if counts[holder]]
    chosen = visit.request.asked("owner") or next(iter([*busy, *active]), NOBODY)
    mine = [task for task in tasks if (task.owner_id or NOBODY) == chosen]
    mine.sort(key=lambda task: task.due, reverse=done)
    pages = visit.request.asked("pages", "1")
    limit = MOST_TASKS * (
        int(pages) if pages.isascii() and pages.isdigit() and len(pages) < 4 else 1
    )
    return visit.show(
        "tasks",
        "Tasks",
        tabs=[(each, names.get(each, each), counts[each])
              for each in dict.fromkeys([*active, *sorted(counts), chosen])],
        chosen=chosen,
        name="Nobody" if chosen == NOBODY else names.get(chosen, chosen),
        done=done,
        link=queue_link,
        tasks=mine[:limit],
        more=queue_link(chosen, done, limit // MOST_TASKS + 1) if len(mine) > limit else "",
    )  # fmt: skip


def queue_link(owner: str, done: bool, pages: int = 1) -> str:
    query = {"owner": owner} | ({"show": "done"} if done else {})
    return f"/?{urlencode(query | ({'pages': str(pages)} if pages > 1 else {}))}"


def show_task(visit: Visit) -> Moved:
    """A task's own address leads to its place in the queue."""
    task = visit.desk.task(visit.id)
    return Moved(f"{queue_link(task.owner_id or NOBODY, task.done)}#task-{task.id}")


def set_task(visit: Visit) -> Moved:
    visit.desk.set_task(visit.id, visit.form.get("status", ""))
    return Moved(visit.form.get("back", "/"))


def log_contact(visit: Visit) -> Moved:
    visit.desk.log_contact(visit.id)
    return Moved(visit.form.get("back", "/"))


# Contacts


def show_contacts(visit: Visit) -> Answer:
    words = visit.request.asked("q").strip()
    total, found = visit.desk.contacts(words.lower(), MOST_CONTACTS)
    return visit.show("contacts", "Contacts", asked=words, total=total, contacts=found)


def show_contact(visit: Visit) -> Answer | Moved:
    page = visit.desk.contact(visit.id)
    if page.contact.id != visit.id:
        return Moved(f"/contacts/{page.contact.id}")
    return visit.show("contact", page.contact.name, page=page)


def change_contact(visit: Visit) -> Moved:
    visit.desk.change_contact(visit.id, visit.form)
    return Moved(f"/contacts/{visit.id}")


def archive_contact(visit: Visit) -> Moved:
    visit.desk.archive_contact(visit.id, bool(visit.form.get("archived")))
    return Moved(f"/contacts/{visit.id}")


def make_deal(visit: Visit) -> Moved:
    visit.desk.make_deal(visit.id, visit.form)
    return Moved(f"/contacts/{visit.id}")


# Deals


def show_board(visit: Visit) -> Answer:
    pipelines = {each.id: each for each in visit.desk.pipelines()}
    chosen = visit.request.asked("pipeline") or next(iter(pipelines))
    if chosen not in pipelines:
        raise Refused(404, "There is no such pipeline.")
    deals = visit.desk.deals(chosen)
    columns = [
        (stage, [deal for deal in deals if deal.stage_id == stage.id][::-1])
        for stage in pipelines[chosen].stages
    ]
    return visit.show(
        "deals",
        "Deals",
        pipelines=pipelines.values(),
        chosen=chosen,
        columns=[(stage, cards) for stage, cards in columns if cards or not stage.archived],
        most=MOST_CARDS,
    )


def show_deal(visit: Visit) -> Moved:
    """A deal's own address leads to its place on the board."""
    deal = visit.desk.deal(visit.id)
    return Moved(f"/deals?pipeline={deal.pipeline.id}#deal-{deal.id}")


def change_deal(visit: Visit) -> Moved:
    visit.desk.change_deal(visit.id, visit.form)
    return Moved(f"/deals?pipeline={visit.desk.deal(visit.id).pipeline.id}")


# Owners


def show_team(visit: Visit) -> Answer:
    return visit.show("owners", "Owners", owners=visit.desk.owners())


def change_owner(visit: Visit) -> Moved:
    visit.desk.archive_owner(visit.id, visit.form.get("archived") == "yes")
    return Moved("/owners")


# Trouble


def show_trouble(visit: Visit) -> Answer:
    state, trouble = visit.standin.state, visit.standin.trouble
    turned = trouble.turned(state)
    groups = {
        name: (
            [(dial, state.faults.on(dial.name)) for dial in trouble.dials.values() if dial.group == name],
            [(switch, switch.targets(state), [target for each, target in turned if each == switch.name],
              [target for target in switch.targets(state) if not switch.is_on(state, target)])
             for switch in trouble.switches.values() if switch.group == name],
        )
        for name in trouble.groups()
    }  # fmt: skip
    return visit.show(
        "trouble",
        "Trouble",
        groups=groups,
        storm=state.faults.storm,
        struck=state.faults.struck,
        all_struck=sum(state.faults.struck[name] for name in trouble.dials),
        # What was set over HTTP by kind has no switch here.
        others=Counter(each["kind"] for each in state.faults.shown() if not each["name"]),
        usual=USUAL_PERCENT,
    )


def turn_dial(visit: Visit) -> Moved:
    """On with the share of the slider, or off. A slider that is moved means on."""
    state, trouble, name = visit.standin.state, visit.standin.trouble, visit.form.get("name", "")
    if name not in trouble.dials:
        raise Refused(400, "There is no such fault.")
    state.faults.end(name)
    if visit.form.get("turn", "on") == "on":
        more = {"share": _number(visit, "percent", 100) / 100}
        if trouble.dials[name].has_seconds:
            more["seconds"] = _number(visit, "seconds", 600)
        trouble.add(state, {"name": name} | more, visit.request.at)
    return Moved(f"/trouble#{name}")


def turn_storm(visit: Visit) -> Moved:
    state = visit.standin.state
    state.faults.storm = None
    if visit.form.get("turn", "on") == "on":
        share, seed = _number(visit, "percent", 100) / 100, int(_number(visit, "seed", 10**9))
        visit.standin.trouble.storm(state, share=share, seed=seed)
    return Moved("/trouble")


def turn_switch(visit: Visit) -> Moved:
    state, trouble = visit.standin.state, visit.standin.trouble
    if visit.id not in trouble.switches:
        raise Refused(400, "There is no such switch.")
    on, target = visit.form.get("turn", "on") == "on", visit.form.get("target", "")
    try:
        trouble.turn(state, visit.id, target, on, visit.request.at)
    except ValueError as error:
        raise Refused(400, str(error)) from None
    return Moved("/trouble")


def end_trouble(visit: Visit) -> Moved:
    visit.standin.trouble.end(visit.standin.state, "", visit.request.at)
    return Moved("/trouble")


def _number(visit: Visit, name: str, highest: int) -> float:
    text = visit.form.get(name, "")
    try:
        number = float(text[:20])
    except ValueError:
        number = -1.0
    if not 0 <= number <= highest:
        raise Refused(400, f"{name} must be a number from 0 to {highest:,}.")
    return number


Shown = Callable[[Visit], Answer | Moved]
_PAGES: Mapping[str, Shown] = {
    "GET /": show_queue,
    "GET /tasks/<id>": show_task,
    "POST /tasks/<id>": set_task,
    "POST /tasks/<id>/contacted": log_contact,
    "GET /contacts": show_contacts,
    "GET /contacts/<id>": show_contact,
    # Where the CRMs' own pages have it, so that links made for them lead here too.
    "GET /contacts/<portal>/record/0-1/<id>": show_contact,
    # And where Salesforce has it.
    "GET /<id>": show_contact,
    "GET /lightning/r/<object>/<id>/view": show_contact,
    "GET /person/<id>": show_contact,
    "POST /contacts/<id>": change_contact,
    "POST /contacts/<id>/archive": archive_contact,
    "POST /contacts/<id>/deals": make_deal,
    "GET /deals": show_board,
    "GET /deals/<id>": show_deal,
    "GET /deal/<id>": show_deal,
    "POST /deals/<id>": change_deal,
    "GET /owners": show_team,
    "POST /owners/<id>": change_owner,
    "GET /trouble": show_trouble,
    "POST /trouble": turn_dial,
    "POST /trouble/storm": turn_storm,
    "POST /trouble/end": end_trouble,
    "POST /trouble/<id>": turn_switch,
}
PAGES = Map(
    [
        Rule(line.partition(" ")[2], methods=[line.partition(" ")[0]], endpoint=page)
        for line, page in _PAGES.items()
    ],
    strict_slashes=False,
    merge_slashes=False,
)
