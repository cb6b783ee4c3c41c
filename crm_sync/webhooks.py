"""The CRM's webhooks: verify the signature, store a hint to read the record again. Never a fact.

Everything works without them, later: the pull finds every change that a hint would have announced.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm_sync import connect, hint_wakeup
from crm_sync.models import Account, Hint, Link
from crm_sync.port import CrmForged, CrmHint, Posted
from crm_sync.webhook_arrivals import record_arrival, record_rejected
from leadscoring.api.body import read_body
from leadscoring.api.errors import ApiError
from leadscoring.common.clock import database_time

MOST_BYTES = 1024 * 1024
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
