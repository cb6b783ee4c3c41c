"""The ledger over HTTP. Mounted by the project's API under its version and behind its keys."""

from datetime import datetime
from typing import Literal

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.timezone import now
from ninja import Router, Schema
from ninja.params.functions import Query

from crm_sync.circuit_breaker import breaker_reason
from crm_sync.connect import connect
from crm_sync.models import Breaker, Handoff
from crm_sync.models.handoff import HandoffQuerySet
from leadscoring.access_log import note_people
from leadscoring.api.errors import ApiError
from leadscoring.api.schemas import ERRORS
from leadscoring.common.email_address import fold_email
from leadscoring.common.text import storable_text

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


@router.get("/handoffs", response={200: HandoffsOut, **ERRORS})
def list_handoffs(
    request: HttpRequest,
    status: str = Query("", enum=Handoff.Status.values),
    contact: str = "",
    cursor: str = "",
) -> HttpResponse:
    """The ledger, newest first, 100 a page.

    `contact`: an id or an e-mail address. `cursor`: `next_cursor` of the page before.
    """
    rows = requested_handoffs(status, contact, cursor).select_related("contact").order_by("-pk")
    found = list(rows[: PAGE + 1])
    following = str(found[PAGE - 1].pk) if len(found) > PAGE else None
    reason = breaker_reason(connect(), Breaker.Work.HANDOFFS, now())
    told = [row.as_dict(reason) for row in found[:PAGE]]
    note_people(row["contact"] for row in told)
    return JsonResponse({"handoffs": told, "next_cursor": following})


def requested_handoffs(status: str, contact: str, cursor: str) -> HandoffQuerySet:
    """Return the rows that a request selects. Raise an ApiError that names an invalid parameter."""
    rows = Handoff.objects.all()
    if status:
        if status not in Handoff.Status.values:
            raise parameter_error("status", f"must be one of {', '.join(Handoff.Status.values)}")
        rows = rows.filter(status=status)
    if contact.isdecimal():
        rows = rows.filter(contact_id=positive_parameter("contact", contact))
    elif contact:
        rows = rows.filter(contact__email=storable_text(fold_email(contact)))
    return rows.filter(pk__lt=positive_parameter("cursor", cursor)) if cursor else rows


def positive_parameter(field: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= LARGEST_ID):
        raise parameter_error(field, "must be a number as an answer gave it")
    return int(text)


def parameter_error(field: str, message: str) -> ApiError:
    return ApiError(422, "invalid", f"{field} {message}.", {field: message})
