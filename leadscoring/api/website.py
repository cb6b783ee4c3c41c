"""What a web page needs of us beside Segment's API: the snippet, and links from one site to another."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.timezone import now
from django.views.decorators.http import condition, require_safe

from leadscoring.api.body import MIB, parse_json, read_body
from leadscoring.api.errors import ApiError
from leadscoring.api.segment import admit_body, for_any_page
from leadscoring.intake import sources, visitor_links
from leadscoring.intake.rejections import Rejection
from leadscoring.intake.segment import LONGEST_ID, is_plain_id
from leadscoring.intake.validation import InvalidItem

# Kept for an hour, and a day longer while the browser asks whether there is another.
KEEP_SNIPPET = "public, max-age=3600, stale-while-revalidate=86400"


def _without_comments(script: str) -> str:
    """Return a script without its indentation and the comments that have a line of their own."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


SNIPPET = _without_comments(Path(__file__).with_name("snippet.js").read_text("utf-8"))
ETAG = f'"{hashlib.sha256(SNIPPET.encode()).hexdigest()[:16]}"'


@require_safe
@condition(etag_func=lambda request: ETAG)
def snippet(request: HttpRequest) -> HttpResponse:
    """Return the script that a web page includes."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": KEEP_SNIPPET,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return HttpResponse(SNIPPET, content_type="text/javascript; charset=utf-8", headers=headers)


@for_any_page("POST")
def sign_link(request: HttpRequest) -> HttpResponse:
    """Sign the id of a browser for a link to another site of ours."""
    return _answer(request, "link", _signed)


@for_any_page("POST")
def join_link(request: HttpRequest) -> HttpResponse:
    """Let a browser be whose the link says it is that it came by. Whatever becomes of it, the answer is good."""
    return _answer(request, "join", _joined)


def _signed(body: dict[str, Any]) -> dict[str, object]:
    return {"link": visitor_links.sign_visitor(_anonymous_id(body), now())}


def _joined(body: dict[str, Any]) -> dict[str, object]:
    link = body.get("link")
    visitor_links.join_visitor(link if isinstance(link, str) else "", _anonymous_id(body), now())
    return {}


def _answer(
    request: HttpRequest, kind: str, answer: Callable[[dict[str, Any]], dict[str, object]]
) -> HttpResponse:
    """Answer a page whose key is good; what cannot be taken stands on the page *Sources*."""
    body = parse_json(read_body(request, MIB))
    if not isinstance(body, dict):
        raise ApiError(400, "not_an_object", "The body must be a JSON object.")
    key = admit_body(body, now())
    told: dict[str, object] = {}
    try:
        told = answer(body)
    except InvalidItem as refused:
        rejected = [Rejection(0, refused.field, refused.message)]
        sources.record_sent(key.name, kind, [body], rejected, now())
    return JsonResponse({"success": True, **told})


def _anonymous_id(body: dict[str, Any]) -> str:
    text = body.get("anonymousId")
    if not isinstance(text, str) or not text or not is_plain_id(text):
        raise InvalidItem("anonymousId", f"must be text of at most {LONGEST_ID} characters")
    return text


urlpatterns = [
    path("s.js", snippet, name="snippet"),
    path("v1/link", sign_link, name="website_link"),
    path("v1/join", join_link, name="website_join"),
]
