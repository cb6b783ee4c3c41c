"""Lists: filters, order, and pages by a cursor that says after which value and id the next begins."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from .bodies import whole
from .call import MOST_IDS, Answer, Call
from .moments import normal
from .refusals import invalid, not_found
from .showing import view
from .store import Record

FILTERS = ("owner_id", "org_id", "pipeline_id", "stage_id", "done", "lead_id")
Key = tuple[Any, int]


def answer_page(call: Call, records: Iterable[Record]) -> Answer:
    """Those of the records that the query asks for; the order of `records` means nothing."""
    found, cursor = page(call, _chosen(call, records))
    shown = [view(call, each) for each in found]
    return 200, {"success": True, "data": shown, "additional_data": {"next_cursor": cursor}}


def wanted(call: Call, kind: str, links: Sequence[str] = ()) -> Iterable[Record]:
    """The live records to choose from: by ids, by a link, or all."""
    if "filter_id" in call.query:
        raise not_found("Filter")
    if ids := call.names("ids"):
        if len(ids) > MOST_IDS:
            raise invalid("ids", f"at most {MOST_IDS} ids are allowed")
        found = [call.store.alive(kind, whole(each, "ids")) for each in dict.fromkeys(ids)]
        return [each for each in found if each]
    for name in links:
        if name in call.query:
            return call.store.linked(kind, name, call.query[name])
    return call.store.live(kind)


def _chosen(call: Call, records: Iterable[Record]) -> list[Record]:
    asked = {name: call.query[name] for name in FILTERS if name in call.query}
    since, until = (_instant(call, name) for name in ("updated_since", "updated_until"))
    return [
        each
        for each in records
        if all(each.values.get(name) == value for name, value in asked.items())
        and since <= each.values["update_time"]
        and (not until or each.values["update_time"] < until)
    ]


def _instant(call: Call, name: str) -> str:
    if name not in call.query:
        return ""
    try:
        return normal(call.query[name])
    except ValueError:
        raise invalid(name, f"'{call.query[name]}' is not a valid datetime") from None


def page(call: Call, records: list[Record]) -> tuple[list[Record], str | None]:
    name, reverse = call.query.get("sort_by", "id"), call.query.get("sort_direction") == "desc"
    limit = call.limit()

    def key(record: Record) -> Key:
        return record.values.get(name) or "", record.id

    if name == "id":
        records.sort(key=lambda each: each.id, reverse=reverse)
    else:
        records.sort(key=key, reverse=reverse)
    if "cursor" in call.query:
        at = _read_cursor(call.query["cursor"], name)
        records = [
            each
            for each in records
            if (_place(each, name) < at if reverse else _place(each, name) > at)
        ]
    more = len(records) > limit
    return records[:limit], _cursor(records[limit - 1], name) if more else None


def _place(record: Record, name: str) -> Key:
    return ("" if name == "id" else record.values.get(name) or "", record.id)


def _cursor(record: Record, name: str) -> str:
    return urlsafe_b64encode(json.dumps([name, *_place(record, name)]).encode()).decode()


def _read_cursor(text: str, name: str) -> Key:
    try:
        by, value, id_ = json.loads(urlsafe_b64decode(text.encode()))
        if by != name or not isinstance(value, str) or not isinstance(id_, int):
            raise ValueError
    except (ValueError, TypeError):
        raise invalid("cursor", "The cursor is not valid") from None
    return value, id_


def answer_rows(call: Call, rows: list[Any]) -> Answer:
    """A page of what are no records: the cursor is a place in the list."""
    start = whole(call.query.get("cursor") or "0", "cursor")
    end = start + call.limit()
    cursor = str(end) if end < len(rows) else None
    data = rows[start:end]
    return 200, {"success": True, "data": data, "additional_data": {"next_cursor": cursor}}
