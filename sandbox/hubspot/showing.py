"""Records as the API shows them."""

from collections.abc import Iterable, Iterator
from typing import Any

from ..server.moments import iso
from .call import Call, Item, kind_named
from .links import LABELS
from .store import CREATED, MODIFIED, SINGULAR, Record

INLINE_LINKS = 100  # associations inside a record are cut there and say so with `paging`
# Types of pairs that have a primary one too: the primary goes by the plain name.
UNLABELLED = {label.implies for label in LABELS.values()}
SHOWN = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("domain", "name"),
    "deals": ("amount", "closedate", "dealname", "dealstage", "pipeline"),
    "tasks": (),
}


def view(
    call: Call,
    record: Record,
    asked: Iterable[str] | None = None,
    history: Iterable[str] = (),
    properties: dict[str, str] | None = None,
) -> Item:
    """A record as the API shows it: values are strings or null, unknown names are left out."""
    body: Item = {
        "id": record.id,
        "properties": _values(call, record, asked, properties),
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
        "archived": record.archived_at is not None,
        "url": f"{call.base}/{record.kind}/{record.id}",
    }
    if record.archived_at:
        body["archivedAt"] = iso(record.archived_at)
    if history:
        body["propertiesWithHistory"] = {name: list(_versions(record, name)) for name in history}
    return body


def _values(
    call: Call, record: Record, asked: Iterable[str] | None, properties: dict[str, str] | None
) -> dict[str, str | None]:
    held = record.properties if properties is None else properties
    names = tuple(SHOWN[record.kind] if asked is None else asked)
    return {name: held.get(name) for name in _known(call, record.kind, names)}


def _known(call: Call, kind: str, names: tuple[str, ...]) -> list[str]:
    """Those of the names that are properties, and the three that always come; found once a call."""
    if (kind, names) not in call.known_names:
        created = CREATED.get(kind, "createdate")
        modified = MODIFIED.get(kind, "hs_lastmodifieddate")
        call.known_names[kind, names] = [
            name
            for name in dict.fromkeys((*names, created, modified, "hs_object_id"))
            if call.store.definition(kind, name)
        ]
    return call.known_names[kind, names]


def _versions(record: Record, name: str) -> Iterator[Item]:
    for at, value in reversed(record.history.get(name, [])):
        yield {"value": value, "timestamp": iso(at), "sourceType": "INTEGRATION"}


def inline(call: Call, record: Record) -> Item:
    """Links of the record by type of object, as GET shows them: at most a hundred entries each."""
    found: dict[str, Any] = {}
    for kind in map(kind_named, call.names("associations")):
        rows = [
            {"id": id_, "type": _type_name(type_id)}
            for id_, type_ids in call.store.linked(record, kind).items()
            for type_id in sorted(type_ids)
        ]
        if rows:
            more = {} if len(rows) <= INLINE_LINKS else _more(call, record, kind, rows)
            found[kind] = {"results": rows[:INLINE_LINKS]} | more
    return {"associations": found} if found else {}


def _type_name(type_id: int) -> str:
    label = LABELS[type_id]
    name = f"{SINGULAR[label.source]}_to_{SINGULAR[label.target]}"
    return f"{name}_unlabeled" if type_id in UNLABELLED else name


def _more(call: Call, record: Record, kind: str, rows: list[Item]) -> Item:
    after = rows[INLINE_LINKS - 1]["id"]
    path = f"/crm/v4/objects/{record.kind}/{record.id}/associations/{kind}"
    return {"paging": {"next": {"after": after, "link": f"{call.base}{path}?after={after}"}}}
