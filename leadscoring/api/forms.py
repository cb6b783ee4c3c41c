"""Forms of web pages: `POST /forms/NAME` (docs/forms.md). They need no script."""

import logging
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.urls import path
from django.utils.datastructures import MultiValueDict
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt

from leadscoring.access_log import collect_people
from leadscoring.api.body import parse_json, read_body
from leadscoring.api.errors import ApiError
from leadscoring.common.attempts import seconds_to_wait
from leadscoring.intake.forms.paste import TRAP
from leadscoring.intake.forms.submission import Submission, take_submission
from leadscoring.intake.rejections import Rejection
from leadscoring.intake.sources import record_sent
from leadscoring.intake.validation import InvalidItem
from leadscoring.log_in.client import client_address
from leadscoring.models import Form, Source

log = logging.getLogger(__name__)

# A page's script may say when it showed the form (seconds since 1970); nobody fills one in so fast.
SHOWN_AT, FASTEST = "shown_at", 2.0
MOST_BYTES, MOST_FIELDS = 64 * 1024, 100
# Of one sender, and of all of them, so many a window.
WINDOW, OF_ONE_SENDER, OF_ALL = 600, 20, 3_000


class FormRefusal(Exception):
    """A submission that is refused as a whole: what its sender and what the page *Sources* are told."""

    def __init__(self, status: int, said: str, field: str, reason: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said
        self.field, self.reason = field, reason
        self.retry_after = 0


# Exempt because the form stands on another site; no cookie counts here.
@csrf_exempt
def receive_form(request: HttpRequest, name: str) -> HttpResponse:
    """Take a form that was filled in; lead a browser to the thank-you page, answer a script in JSON."""
    try:
        return _receive(request, name)
    except (OperationalError, InterfaceError) as error:
        log.error("The database did not answer a form.", exc_info=error)
        response = _problem(
            request, 503, "It could not be sent just now. Please try again in a moment."
        )
        response["Retry-After"] = "1"
        return response


def _receive(request: HttpRequest, name: str) -> HttpResponse:
    form = Form.objects.filter(name=name, kind=Form.Kind.PAGE).first()
    if form is None:
        return _problem(request, 404, "There is no such form.")
    if request.method == "OPTIONS":
        return _for_scripts(HttpResponse(status=204), request, form)
    if request.method != "POST":
        response = _problem(request, 405, "A form is sent here by the page that it stands on.")
        response["Allow"] = "POST, OPTIONS"
        return response
    # An answer here names nobody, so nothing of it is a reading.
    with collect_people():
        return _for_scripts(_answer(request, form, now()), request, form)


def _answer(request: HttpRequest, form: Form, at: datetime) -> HttpResponse:
    values: dict[str, object] = {}
    try:
        _admit(request, form, at)
        values = _read_values(request)
        refused = _take(form, values, at)
    except FormRefusal as refusal:
        _count(form, values, [Rejection(0, refusal.field, refusal.reason)], at)
        response = _problem(request, refusal.status, refusal.said)
        if refusal.retry_after:
            response["Retry-After"] = str(refusal.retry_after)
        return response
    _count(form, values, refused, at)
    if not _wants_page(request):
        return JsonResponse({"success": True})
    if form.thank_you:
        return HttpResponse(status=303, headers={"Location": form.thank_you})
    return render(request, "pages/form.html", {"title": "Thank you", "said": "It has been sent."})


def _take(form: Form, values: Mapping[str, object], at: datetime) -> list[Rejection]:
    """Take what a person filled in; of what a robot did, say so and store nothing."""
    if values.get(TRAP) or _is_too_fast(values.get(SHOWN_AT), at):
        return [Rejection(0, TRAP, "was filled in, or all was filled in too fast: a robot")]
    said = {name: value for name, value in values.items() if name not in (TRAP, SHOWN_AT)}
    try:
        return take_submission(form, Submission(said), at)
    except InvalidItem as wrong:
        raise FormRefusal(
            422, f"{wrong.field} {wrong.message}.", wrong.field, wrong.message
        ) from None
    except RecursionError:
        raise FormRefusal(400, "It cannot be read.", "body", "is nested too deeply") from None


def _is_too_fast(shown: object, at: datetime) -> bool:
    """Whether a form was sent too soon after it was shown; one that does not say when was not."""
    try:
        seconds = float(str(shown))
    except ValueError:
        return False
    return 0 <= at.timestamp() - (seconds / 1_000 if seconds > 1e11 else seconds) < FASTEST


# --- who may send -----------------------------------------------------------------------------------
def _admit(request: HttpRequest, form: Form, at: datetime) -> None:
    """Raise FormRefusal for a page that may not send, and for who sends too much."""
    allowed = form.allowed_origins()
    if allowed and _origin(request) not in allowed:
        raise FormRefusal(
            403, "This form may not be sent from that website.", "origin", "is no allowed website"
        )
    senders = {
        f"form {form.pk} {client_address(request)}": OF_ONE_SENDER,
        f"form {form.pk}": OF_ALL,
    }
    for sender, most in senders.items():
        if wait := seconds_to_wait(sender, most, WINDOW, at):
            refusal = FormRefusal(
                429, "That was too often. Please try again later.", "sender", "sends too often"
            )
            refusal.retry_after = wait
            raise refusal


def _origin(request: HttpRequest) -> str:
    """Return the website that a form stands on, as the browser says it; "" for one that does not."""
    origin = request.headers.get("Origin", "")
    if origin and origin != "null":
        return origin
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    return f"{page.scheme}://{page.netloc}" if page.netloc else ""


def _for_scripts(response: HttpResponse, request: HttpRequest, form: Form) -> HttpResponse:
    """Let scripts of allowed websites read an answer."""
    origin = request.headers.get("Origin", "")
    if origin in form.allowed_origins():
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = "content-type"
        response["Access-Control-Max-Age"] = "900"
    response["Vary"] = "Origin, Accept"
    response["Cache-Control"] = "no-store"
    return response


# --- what was filled in -----------------------------------------------------------------------------
def _read_values(request: HttpRequest) -> dict[str, object]:
    """Return what was filled in, by field. Files are left out. Raise FormRefusal."""
    content_type = request.content_type or ""
    try:
        if content_type == "application/json":
            return _bounded(_read_json(request))
        if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
            raise FormRefusal(
                413, "That is too much for this form.", "body", "is larger than 64 KiB"
            )
        posted = request.POST
    except (UnreadablePostError, MultiPartParserError, SuspiciousOperation):
        raise FormRefusal(400, "It cannot be read.", "body", "cannot be read") from None
    return _bounded(_lists(posted))


def _lists(posted: QueryDict | MultiValueDict[str, str]) -> dict[str, object]:
    """Return one value of each field, or the list of those that are several, as of boxes."""
    return {
        name: given[0] if len(given := [one for one in posted.getlist(name) if one]) == 1 else given
        for name in posted
    }


def _read_json(request: HttpRequest) -> dict[str, object]:
    try:
        found = parse_json(read_body(request, MOST_BYTES))
    except ApiError as error:
        raise FormRefusal(error.status, error.message, "body", error.message) from None
    if not isinstance(found, dict):
        raise FormRefusal(400, "The body must be a JSON object.", "body", "must be an object")
    return found


def _bounded(values: dict[str, object]) -> dict[str, object]:
    if len(values) > MOST_FIELDS:
        raise FormRefusal(413, "That is too much for this form.", "body", "has over 100 fields")
    return values


# --- the answer -------------------------------------------------------------------------------------
def _count(
    form: Form, values: Mapping[str, object], refused: list[Rejection], at: datetime
) -> None:
    record_sent(form.name, "form", [values], refused, at, of=Source.Kind.FORM)


def _wants_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def _problem(request: HttpRequest, status: int, said: str) -> HttpResponse:
    if _wants_page(request):
        shown = {"title": "This could not be sent", "said": said, "back": status != 404}
        return render(request, "pages/form.html", shown, status=status)
    return JsonResponse({"error": {"message": said}}, status=status)


urlpatterns = [path("<slug:name>", receive_form, name="receive_form")]
