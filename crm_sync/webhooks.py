"""What the CRM sends by itself: a signature, then a hint: "look again soon". Never the truth.

Everything works without it, later: the pull finds every change that a hint would have told of.
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
# How exactly it is known when the last one came, so that a flood does not write one row again and again.
NOTED_EVERY = 10.0
# A refusal that is older than this is forgotten.
LONG_AGO = timedelta(days=1)
noted: dict[str, float] = {}
GONE = ("deleted", "erased")


@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest) -> HttpResponse:
    """204 for every request that is the CRM's, whatever is inside."""
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
    """The request as its sender signed it: under our public address, whatever the proxy made of it."""
    query = request.META.get("QUERY_STRING", "")
    address = settings.BASE_URL + request.path + (f"?{query}" if query else "")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Posted(request.method or "", address, headers, read_body(request, MOST_BYTES))


def store_hints(hints: Sequence[CrmHint], at: datetime) -> None:
    """Remember which records to look at, and ring."""
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
    """Kind and id of records, but for another account's (an app may be installed there too), and for
    strangers whose record has gone: it would be asked for in vain."""
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
    """Kept for the audit: a wrong secret or address shows as signed requests that do not count."""
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
    """When the CRM was last heard, to within some seconds; None: never."""
    return Arrival.objects.values_list("heard_at", flat=True).first()


def rejected_webhooks(at: datetime) -> Iterator[Problem]:
    """Requests that claim to be the CRM's and have not counted since it was last heard."""
    row = Arrival.objects.filter(refused_at__gt=at - LONG_AGO).first()
    if row and row.refused_at and (row.heard_at is None or row.heard_at < row.refused_at):
        yield Problem(
            "warning",
            f"Webhooks that claim to be the CRM's are refused. {row.rejected_reason}",
            "Compare the client secret and BASE_URL with the CRM's app; see docs/webhooks.md.",
        )


def webhook_state(at: datetime) -> str:
    """How it stands, for people: "on, last heard 5 min ago"."""
    if not webhooks_enabled():
        return "off, changes are found by asking"
    heard = last_webhook_at()
    return f"on, last heard {format_age(heard, at)}" if heard else "on, never heard yet"
