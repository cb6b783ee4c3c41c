"""A request's body as a list of items, bounded while it is read."""

import json
from typing import Any, NoReturn, Protocol

from django.conf import settings
from django.http import HttpRequest
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # ships no types

from leadscoring.api.errors import ApiError

MOST_ITEMS = 1000
MIB = 1024 * 1024
THROWN_AWAY = 64 * MIB
CUT_OFF = "The body did not arrive whole; nothing of it was taken."


class ReadableBody(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_items(request: HttpRequest) -> list[object]:
    """Return the items of a body that is one object or an array of them. Raise ApiError."""
    found = parse_json(read_body(request))
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise ApiError(
            400, "not_an_object", "The body must be a JSON object or an array of at most 1,000."
        )
    if len(found) > MOST_ITEMS:
        raise ApiError(
            413, "too_many_items", f"The body has {len(found)} items; 1,000 is the most."
        )
    return found


def read_body(request: HttpRequest, most: int = 0) -> bytes:
    """Return the body, of at most so many bytes (0: 5 MiB), with its length announced or in chunks. Raise ApiError."""
    most = most or settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    stream: ReadableBody = request
    if request.headers.get("Transfer-Encoding") and request.META.get("wsgi.input_terminated"):
        # Django reads no further than Content-Length, which a chunked body has not.
        stream = request.META["wsgi.input"]
    announced = int(request.headers.get("Content-Length") or "0")
    try:
        body = stream.read(most + 1) if announced <= most else b""
        if len(body) > most or announced > most:
            _drain(stream)
            raise ApiError(413, message=f"The body is larger than {most // MIB} MiB.")
    except (OSError, ParseException):  # the sender went away, or its chunks are none
        raise ApiError(400, "cut_off", CUT_OFF) from None
    if len(body) < announced:
        raise ApiError(400, "cut_off", CUT_OFF)
    return body


def _drain(stream: ReadableBody) -> None:
    """Read the rest of a body: a sender that is cut off would never see the answer."""
    left = THROWN_AWAY
    while left > 0 and (some := stream.read(65_536)):
        left -= len(some)


def parse_json(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_int=_parse_integer
        )
    except UnicodeDecodeError:
        raise ApiError(400, "not_json", "The body is not UTF-8.") from None
    except RecursionError:
        raise ApiError(400, "not_json", "The body is nested too deeply.") from None
    except json.JSONDecodeError as wrong:
        where = f"line {wrong.lineno}, column {wrong.colno}"
        raise ApiError(400, "not_json", f"The body is not JSON: {wrong.msg} ({where}).") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ApiError(400, "not_json", f"The body is not JSON: {name} is no number there.")


def _parse_integer(digits: str) -> int | float:
    """Read a number of any length: Python would refuse the whole body for one of thousands of digits."""
    return int(digits) if len(digits) < 20 else float(digits)
