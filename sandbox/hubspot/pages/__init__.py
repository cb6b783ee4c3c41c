"""The pages for people: whoever tries things out plays the rep here."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode

from ..control import NotOwn, check_near, check_own
from ..door import Request, Response
from ..refusals import Refusal, not_found
from ..state import State
from ..trouble import count
from . import board, contacts, queue, team, trouble
from .markup import HERE, fill
from .visit import Moved, Page, Visit

ROUTES: list[tuple[str, str, Callable[[Visit], Page | Moved]]] = [
    ("GET", "", queue.queue),
    ("GET", "tasks/{id}", queue.show),
    ("POST", "tasks/{id}", queue.set_status),
    ("POST", "tasks/{id}/contacted", queue.log_contact),
    ("GET", "contacts", contacts.page),
    ("GET", "contacts/{id}", contacts.read),
    # Where HubSpot's own pages have it, so that links made for HubSpot lead here too.
    ("GET", "contacts/{portal}/record/0-1/{id}", contacts.read),
    ("POST", "contacts/{id}", contacts.change),
    ("POST", "contacts/{id}/archive", contacts.archive),
    ("POST", "contacts/{id}/deals", contacts.make_deal),
    ("GET", "deals", board.board),
    ("GET", "deals/{id}", board.show),
    ("POST", "deals/{id}", board.change),
    ("GET", "owners", team.team),
    ("POST", "owners/{id}", team.change),
    ("GET", "trouble", trouble.page),
    ("POST", "trouble", trouble.turn_dial),
    ("POST", "trouble/storm", trouble.turn_storm),
    ("POST", "trouble/end", trouble.end_all),
    ("POST", "trouble/{name}", trouble.turn_switch),
]
SECTIONS = ("", "contacts", "deals", "owners", "trouble")
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


def answer(state: State, request: Request, host: str) -> Response:
    name = request.path.removeprefix("/static/")
    if name in FILES:
        return Response(200, (HERE / name).read_bytes(), SECURE | {"Content-Type": FILES[name]})
    try:
        check_own(request, host)
        if request.parts()[0] == "trouble":
            check_near(request)
        with state.lock:
            shown = _visit(state, request)
    except NotOwn as error:
        return _page(403, Page("Refused", fill("problem", text=error)), state)
    except Refusal as refusal:
        problem = Page("That did not work", fill("problem", text=refusal.message))
        return _page(refusal.status, problem, state)
    if isinstance(shown, Moved):
        return Response(303, b"", SECURE | {"Location": _local(shown.to)})
    return _page(200, shown, state, request.parts()[0])


def _visit(state: State, request: Request) -> Page | Moved:
    for method, pattern, page in ROUTES:
        args = _match(pattern, request.parts())
        if args is not None and method == request.method:
            form = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
            visit = Visit(
                state,
                request.at,
                _here(request),
                args,
                request.query,
                {name: values[-1] for name, values in form.items()},
            )
            return page(visit)
    raise not_found("There is no such page.")


def _here(request: Request) -> str:
    query = urlencode(request.query, doseq=True)
    return f"{request.path}?{query}" if query else request.path


def _match(pattern: str, parts: list[str]) -> dict[str, str] | None:
    wanted = pattern.split("/")
    if len(wanted) != len(parts):
        return None
    pairs = list(zip(wanted, parts, strict=True))
    if any(name != part for name, part in pairs if not name.startswith("{")):
        return None
    return {name[1:-1]: part for name, part in pairs if name.startswith("{")}


def _local(to: str) -> str:
    """Never lead anybody to another site."""
    local = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if local else "/"


def _page(status: int, page: Page, state: State, section: str = "-") -> Response:
    here = {f"{name or 'tasks'}_now": "page" if name == section else "" for name in SECTIONS}
    with state.lock:
        on = count(state)
    html = fill(
        "layout",
        title=page.title,
        body=page.body,
        portal=state.store.portal_id,
        on=fill("count", text=on) if on else "",
        **here,
    )
    return Response(
        status, html.encode(errors="replace"), SECURE | {"Content-Type": "text/html; charset=utf-8"}
    )
