"""The ledger over HTTP. Mounted by the project's API under its version and behind its keys."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema

from crm_sync.models import Handoff
from crm_sync.models.ledger import HandoffQuerySet

PAGE = 100
LARGEST_ID = 2**63 - 1

router = Router(tags=["handoffs"])


class HandoffOut(Schema):
    """A crossing and how far it has come on its way to sales."""

    id: int
    contact: int
    email: str | None
    cycle: int
    score: float
    status: Literal["waiting", "delivered", "needs_attention", "withdrawn"]
    because: str
    attempts: int
    crossed_at: datetime
    delivered_at: datetime | None
    record_id: str | None
    task_id: str | None
    owner_id: str | None
    reference: str


class HandoffsOut(Schema):
    handoffs: list[HandoffOut]
    next_cursor: str | None


class ErrorOut(Schema):
    error: dict[str, Any]


class Wrong(ValueError):
    """A parameter that cannot be right: its name and the reason."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@router.get("handoffs", response={200: HandoffsOut, 422: ErrorOut})
def handoffs(
    request: HttpRequest,
    status: str = Query("", description="waiting, delivered, needs_attention or withdrawn"),
    contact: str = Query("", description="a contact's id or e-mail address"),
    cursor: str = Query("", description="next_cursor of the page before"),
) -> tuple[int, dict[str, Any]]:
    """The ledger, newest first, 100 a page."""
    try:
        rows = asked_for(status, contact, cursor)
    except Wrong as wrong:
        fields = {wrong.field: str(wrong)}
        return 422, {"error": {"code": "invalid", "message": str(wrong), "fields": fields}}
    found = list(rows.select_related("contact").order_by("-pk")[: PAGE + 1])
    following = str(found[PAGE - 1].pk) if len(found) > PAGE else None
    return 200, {"handoffs": [row.as_dict() for row in found[:PAGE]], "next_cursor": following}


def asked_for(status: str, contact: str, cursor: str) -> HandoffQuerySet:
    """The rows that a request means; raises Wrong."""
    rows = Handoff.objects.all()
    if status:
        if status not in Handoff.Status.values:
            raise Wrong("status", f"status must be one of {', '.join(Handoff.Status.values)}.")
        rows = rows.filter(status=status)
    if contact.isdecimal():
        rows = rows.filter(contact_id=number("contact", contact))
    elif contact:
        rows = rows.filter(contact__email=contact.lower().replace("\0", ""))
    return rows.filter(pk__lt=number("cursor", cursor)) if cursor else rows


def number(field: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= LARGEST_ID):
        raise Wrong(field, f"{field} must be a number as an answer gave it.")
    return int(text)
