"""Form services: `POST /hooks/KIND/SECRET` (docs/forms.md).

The secret in the address says which form it is; where a signing secret is set, nothing is believed that
is not signed. Never a redirect, which counts as a failure there, nor 410, which ends a subscription.
"""

from collections.abc import Mapping
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import path
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt

from leadscoring.api.body import parse_json, read_body
from leadscoring.api.errors import ApiError, answer_with_errors
from leadscoring.common.attempts import seconds_to_wait
from leadscoring.intake.forms.secrets import find_service, signing_secret_of
from leadscoring.intake.forms.services import read_submission
from leadscoring.intake.forms.signatures import check_signature
from leadscoring.intake.forms.submission import take_submission
from leadscoring.intake.rejections import Rejection
from leadscoring.intake.sources import record_sent
from leadscoring.intake.validation import InvalidItem
from leadscoring.models import Form, Source

MOST_BYTES = 1024 * 1024
A_MINUTE = 600  # requests of one address
UNREADABLE = "cannot be read since SECRET_KEY was changed: enter it again"


@csrf_exempt
def receive_hook(request: HttpRequest, kind: str, secret: str) -> HttpResponse:
    """Take what a service sends, once. 200 whatever it says: sent again it would say the same."""
    return answer_with_errors(_receive, request, kind, secret)


def _receive(request: HttpRequest, kind: str, secret: str) -> HttpResponse:
    form = find_service(kind, secret)
    if form is None:
        raise ApiError(404)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    return _answer(request, form, now())


def _answer(request: HttpRequest, form: Form, at: datetime) -> HttpResponse:
    body: object = {}
    try:
        if wait := seconds_to_wait(f"hook {form.pk}", A_MINUTE, 60, at):
            return _too_often(form, wait, at)
        body = _read_signed(request, form, at)
        refused = _take(form, body, request.headers, at)
    except ApiError as error:
        _count(form, {}, [Rejection(0, "request", error.message)], at)
        raise
    _count(form, body, refused, at)
    return JsonResponse({"success": True})


def _read_signed(request: HttpRequest, form: Form, at: datetime) -> object:
    """Return the body of a request that is signed as it must be. Raise ApiError."""
    raw = read_body(request, MOST_BYTES)
    secret = signing_secret_of(form)
    if secret is None:
        raise ApiError(401, message=f"The signing secret {UNREADABLE}.")
    wrong = check_signature(form.kind, secret, request.headers, raw, at) if secret else ""
    if wrong:
        raise ApiError(401, message=f"The signature {wrong}.")
    return parse_json(raw)


def _take(form: Form, body: object, headers: Mapping[str, str], at: datetime) -> list[Rejection]:
    try:
        submission = read_submission(form.kind, body, headers)
        return take_submission(form, submission, at) if submission else []
    except InvalidItem as wrong:
        return [Rejection(0, wrong.field, wrong.message)]
    except RecursionError:
        return [Rejection(0, "body", "is nested too deeply")]


def _too_often(form: Form, wait: int, at: datetime) -> HttpResponse:
    _count(form, {}, [Rejection(0, "request", "came too often")], at)
    response = ApiError(429, message="Too many requests to this address.").response()
    response["Retry-After"] = str(wait)
    return response


def _count(form: Form, body: object, refused: list[Rejection], at: datetime) -> None:
    record_sent(form.name, form.kind, [body], refused, at, of=Source.Kind.HOOK)


urlpatterns = [path("<str:kind>/<str:secret>", receive_hook, name="receive_hook")]
