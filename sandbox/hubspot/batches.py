"""Batches: what is refused item by item, what as a whole, and how the answer looks."""

from collections.abc import Callable, Iterable
from typing import Any

from ..server.moments import iso
from .call import Answer, Call, Item
from .refusals import Refusal, bad_request
from .writes import Write


def plan_all(
    call: Call, items: list[Item], plan: Callable[[Item], Write]
) -> tuple[list[tuple[Item, Write]], list[Item]]:
    """Plan every input. Errors come one by one only if each input has an `objectWriteTraceId`;
    else one bad input refuses the batch (as documented)."""
    traced = all(item.get("objectWriteTraceId") for item in items)
    writes, errors = [], []
    for place, item in enumerate(items):
        try:
            if call.spoilt and traced and place % 3 == 0:
                raise Refusal(500, **call.spoilt)
            writes.append((item, plan(item)))
        except Refusal as refusal:
            if not traced:
                raise _whole(refusal) from None
            errors.append(refusal.item(str(item["objectWriteTraceId"])))
    return writes, errors


def _whole(refusal: Refusal) -> Refusal:
    refusal.status = 400 if refusal.status == 404 else refusal.status
    return refusal


def refuse_twice(ids: Iterable[str]) -> None:
    """Two inputs for one record refuse the batch."""
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise bad_request(f"Duplicate IDs found in batch input: [{each}]")
        seen.add(each)


def batch_answer(
    call: Call, results: list[Any], errors: list[Item] | None = None, status: int = 200
) -> Answer:
    """A 207 when something went wrong; 2026-09 puts the errors into the ordinary answer."""
    body: Item = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": iso(call.at),
        "completedAt": iso(call.at),
    }
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
        status = status if call.version == "2026-09" else 207
    return status, body
