"""The CRM's webhooks: verify the signature, store a hint to read the record again. Never a fact.

Everything works without them, later: the pull finds every change that a hint would have announced.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm_sync import connect, hint_wakeup
from crm_sync.models import Account, Arrival, Hint, Link
from crm_sync.port import CrmForged, CrmHint, Posted
from leadscoring.api.body import read_body
from leadscoring.api.errors import ApiError
from leadscoring.common.clock import database_time
from leadscoring.common.spans import format_age
from leadscoring.operations.health import Problem

MOST_BYTES = 1024 * 1024
# Seconds between two writes of the last arrival, so that a flood does not rewrite one row each time.
NOTED_EVERY = 10.0
# A rejection that is older than this is ignored.
LONG_AGO = timedelta(days=1)
noted: dict[str, float] = {}
GONE = ("deleted", "erased")


@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest) -> HttpResponse:
    """Return 204 for every request of the CRM, whatever its content; 401 for a forged one."""
    at = now()
    try:
        hints = connect.connect_webhooks().hints(posted_request(request), at)
    except ApiError as error:
        return error.response()
    except CrmForged as forged:
        record_rejected(forged, at)
        return ApiError(401, "not_signed", str(forged)).response()
    store_hints(hints, database_time())
    return HttpResponse(status=204)


def posted_request(request: HttpRequest) -> Posted:
    """Return the request as its sender signed it: under our public URL, whatever the proxy changed."""
    query = request.META.get("QUERY_STRING", "")
    address = settings.BASE_URL + request.path + (f"?{query}" if query else "")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Posted(request.method or "", address, headers, read_body(request, MOST_BYTES))


def store_hints(hints: Sequence[CrmHint], at: datetime) -> None:
    """Store which records to read again, and wake a worker."""
    record_arrival(at)
    erased = {(str(each.kind), each.record_id) for each in hints if each.what == "erased"}
    merged = {
        (str(each.kind), each.record_id): each.merged_into for each in hints if each.merged_into
    }
    if records := relevant_hints(hints):
        with transaction.atomic():
            Hint.objects.note(records, at, erased, merged)
            transaction.on_commit(hint_wakeup.wake_for_hints)


def relevant_hints(hints: Sequence[CrmHint]) -> set[tuple[str, str]]:
    """Return kind and id of records, except for another account's (an app may be installed there too)
    and for deleted records of unknown contacts: a read would find nothing."""
    ours = Account.objects.values_list("account_id", flat=True).first()
    own = [hint for hint in hints if not ours or hint.account_id in ("", ours)]
    gone = {hint.record_id for hint in own if hint.kind == "contact" and hint.what in GONE}
    known = Link.objects.filter(record_id__in=gone).values_list("record_id", flat=True)
    strangers = {("contact", id_) for id_ in gone.difference(known)}
    records = {(str(each.kind), each.record_id) for each in own}
    return records - strangers


def record_arrival(at: datetime) -> None:
    update_arrival("heard", {"heard_at": at})


def record_rejected(forged: CrmForged, at: datetime) -> None:
    """Record a rejection for the audit: a wrong secret or URL shows as rejected signed requests."""
    if forged.signed:
        update_arrival("refused", {"refused_at": at, "rejected_reason": str(forged)[:300]})


def update_arrival(what: str, values: dict[str, object]) -> None:
    if time.monotonic() < noted.get(what, 0.0):
        return
    noted[what] = time.monotonic() + NOTED_EVERY
    Arrival.objects.update_or_create(pk=1, defaults=values)


def webhooks_enabled() -> bool:
    return connect.connect_webhooks().enabled


def last_webhook_at() -> datetime | None:
    """Return when the last webhook arrived, to within NOTED_EVERY seconds; None for never."""
    return Arrival.objects.values_list("heard_at", flat=True).first()


def rejected_webhooks(at: datetime) -> Iterator[Problem]:
    """Yield a problem when signed requests were rejected since the last valid one."""
    row = Arrival.objects.filter(refused_at__gt=at - LONG_AGO).first()
    if row and row.refused_at and (row.heard_at is None or row.heard_at < row.refused_at):
        yield Problem(
            "warning",
            f"Webhooks that claim to be the CRM's are refused. {row.rejected_reason}",
            "Compare the client secret and BASE_URL with the CRM's app; see docs/webhooks.md.",
        )


def webhook_state(at: datetime) -> str:
    """Return the state for display, such as "on, last heard 5 min ago"."""
    if not webhooks_enabled():
        return "off, changes are found by asking"
    heard = last_webhook_at()
    return f"on, last heard {format_age(heard, at)}" if heard else "on, never heard yet"
