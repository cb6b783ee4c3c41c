"""Segment's HTTP API, for clients that nobody has to change (docs/tracking.md).

A good key and a body of JSON are answered with 200 whatever becomes of the events: clients throw away
or send again a batch that is refused. What was not taken stands on the page *Sources*.
"""

import base64
import binascii
import logging
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import path
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt

from leadscoring import api_keys
from leadscoring.api.auth import admit_key, count_events
from leadscoring.api.body import MIB, parse_json, read_body
from leadscoring.api.errors import ApiError, answer_with_errors
from leadscoring.intake import events, sources
from leadscoring.intake.segment import TYPES
from leadscoring.models import ApiKey

log = logging.getLogger(__name__)
View = Callable[..., HttpResponse]

MOST_EVENTS = 2_500  # Segment's own limit of a batch
# Headers that a page asks to send; another one is not offered.
HEADER_NAMES = re.compile(r"[A-Za-z0-9-]{1,50}(\s*,\s*[A-Za-z0-9-]{1,50}){0,19}")
LONGEST_KEY = 200
KEEP_SETTINGS = 3_600  # seconds
NO_KEY = "A valid write key is needed."
READING_KEY = (
    "Only a key that may only send belongs in a web page: this one can read. Make another."
)


def for_any_page(method: str) -> Callable[[View], View]:
    """Answer any web page and in JSON, errors too, and take one method besides the browser's question.

    No cookie counts here, so any origin may ask.
    """

    def decorated(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "OPTIONS":
                response = _preflight(request)
            elif request.method != method:
                response = HttpResponseNotAllowed([method, "OPTIONS"])
            else:
                response = answer_with_errors(view, request, *args, **kwargs)
            response["Access-Control-Allow-Origin"] = "*"
            # A page's script sees no other header of a refusal, and would try again too early.
            response["Access-Control-Expose-Headers"] = "Retry-After, X-RateLimit-Reset"
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return answered

    return decorated


def _preflight(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    asked = request.headers.get("Access-Control-Request-Headers", "")
    if HEADER_NAMES.fullmatch(asked):
        response["Access-Control-Allow-Headers"] = asked
    response["Access-Control-Max-Age"] = "900"
    return response


@for_any_page("POST")
def receive_events(request: HttpRequest, kind: str) -> HttpResponse:
    """Take one event, or a batch of them. `kind`: "" for a batch."""
    at = now()
    key = _admit_header(request)
    try:
        body = parse_json(_inflate(request, read_body(request)))
        around = body if isinstance(body, dict) else {}
        key = key or admit_body(around, at)
        raw = _events_of(body, kind)
    except ApiError as refused:
        if key:
            sources.record_refusal(key.name, refused.message, at)
        raise
    count_events(key, len(raw), at)
    sent_at = around.get("sentAt") or request.headers.get("SentAt")
    taken = events.take_events(raw, kind, {} if kind else around, sent_at, key.name, at)
    sources.record_sent(key.name, kind, raw, taken.rejected, at)
    return JsonResponse({"success": True})


def _events_of(body: object, kind: str) -> list[object]:
    """Return the events of a body. Raise ApiError for too many."""
    raw = body.get("batch") if isinstance(body, dict) and not kind else None
    if not isinstance(raw, list):
        raw = [body]  # one event; no batch is refused as an event, with the reason where others are
    if len(raw) > MOST_EVENTS:
        raise ApiError(413, "too_many_items", f"The batch has over {MOST_EVENTS:,} events.")
    return raw


def admit_body(body: Mapping[str, Any], at: datetime) -> ApiKey:
    """Return the key that a body has. Raise ApiError without one, and RateLimited."""
    key = admit_key(_text(body.get("writeKey")), at)
    if key is None:
        raise ApiError(401, message=NO_KEY)
    return key


def _admit_header(request: HttpRequest) -> ApiKey | None:
    """Return the key that a header has. None: the body may have one. Raise RateLimited."""
    for text in _header_keys(request):
        if key := admit_key(text, now()):
            return key
    return None


def _header_keys(request: HttpRequest) -> Iterator[str]:
    """Yield what may be a key: the user of Basic auth, or a bearer's."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield _text(given.strip())
    elif scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(given.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return
        yield _text(decoded.partition(":")[0])


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST_KEY else ""


def _inflate(request: HttpRequest, body: bytes) -> bytes:
    """Return a body that may be compressed, within the bound of one that is not. Raise ApiError."""
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise ApiError(400, "encoding", "The body may be compressed with gzip alone.")
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        inflated = reader.decompress(body, most + 1)
    except zlib.error:
        raise ApiError(400, "not_gzip", "The body is not gzip.") from None
    if len(inflated) > most:
        raise ApiError(413, message=f"The body is larger than {most // MIB} MiB.")
    if not reader.eof or reader.unused_data:
        raise ApiError(400, "not_gzip", "The body is not one whole piece of gzip.")
    return inflated


@for_any_page("GET")
def tracker_settings(request: HttpRequest, write_key: str) -> HttpResponse:
    """Tell the official script of a page where to send: here."""
    if _find_page_key(write_key) is None:
        raise ApiError(404)
    response = JsonResponse(_settings_json(write_key))
    response["Cache-Control"] = f"public, max-age={KEEP_SETTINGS}"
    return response


def _settings_json(write_key: str) -> Mapping[str, object]:
    here = urlsplit(settings.BASE_URL)
    destination = {
        "apiKey": write_key,
        "apiHost": f"{here.netloc}{here.path}/v1",
        "protocol": here.scheme,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
        "maybeBundledConfigIds": {},
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
    }
    everything = {"__default": {"enabled": True, "integrations": {}}}
    return {
        "integrations": {"Segment.io": destination},
        "plan": {"track": everything, "identify": everything, "group": everything},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }


@for_any_page("GET")
def source_config(request: HttpRequest) -> HttpResponse:
    """Tell RudderStack's script of a page that there is nothing else to load or to report to."""
    key = next(filter(None, map(_find_page_key, _header_keys(request))), None)
    if key is None:
        raise ApiError(401, message=NO_KEY)
    source = {"id": str(key.pk), "name": "", "enabled": True, "config": {}, "destinations": []}
    return JsonResponse({"source": source})


def _find_page_key(text: str) -> ApiKey | None:
    """Return the usable key of a text. Raise ApiError for one that can read."""
    key = api_keys.find_key(text)
    if key and not key.write_only:
        raise ApiError(403, "reading_key", READING_KEY)
    return key


NAMES = {name: kind for kind in TYPES for name in (kind, kind[0])} | {"batch": "", "b": ""}
urlpatterns = [
    path("projects/<str:write_key>/settings", tracker_settings, name="tracker_settings"),
    *(
        path(name, receive_events, {"kind": kind}, name=f"segment_{name}")
        for name, kind in NAMES.items()
    ),
]
