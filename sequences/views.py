"""What addresses in our mails lead to: unsubscribing, a link's aim, the picture. No log-in."""

import base64
import logging
from collections.abc import Callable
from datetime import datetime

from django.core.signing import BadSignature
from django.db import DatabaseError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import render
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from sequences.models import Delivery
from sequences.tracking import links
from sequences.unsubscribe import delivery_of_token, is_unsubscribed, unsubscribe_delivery

# One pixel, transparent (GIF89a).
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

log = logging.getLogger(__name__)


# Exempt because mail programs post without ever having seen the page (RFC 8058); the signature in
# the address is what proves the right to ask. The body is not read.
@csrf_exempt
@never_cache
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET; unsubscribe on POST, by the page's button or in one click by a mail program."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    delivery = delivery_of_token(token)
    if delivery is None:
        return render(request, "pages/unsubscribe.html", {"unknown": True}, status=404)
    if request.method == "POST":
        unsubscribe_delivery(delivery, now())
    return render(
        request,
        "pages/unsubscribe.html",
        {"email": delivery.email, "done": request.method == "POST" or is_unsubscribed(delivery)},
    )


@require_safe
@never_cache
def follow_link(request: HttpRequest, token: str) -> HttpResponse:
    """Redirect to the target of a tracked link; answer 404 to an altered one."""
    try:
        number, link = links.read_link_token(token)
    except BadSignature:
        raise Http404 from None
    _count_reaction(request, number, lambda mail, at: links.record_click(mail, link, at))
    return HttpResponseRedirect(_with_reader(request, number, link))


@require_safe
@never_cache
def open_pixel(request: HttpRequest, token: str) -> HttpResponse:
    """Return the invisible picture."""
    try:
        number = links.read_pixel_token(token)
    except BadSignature:
        raise Http404 from None
    _count_reaction(request, number, links.record_open)
    return HttpResponse(PIXEL, content_type="image/gif")


def _with_reader(request: HttpRequest, number: int, link: str) -> str:
    """Let a page of ours know whose mail its visitor comes from."""
    try:
        return link if _is_program(request) else links.with_reader(number, link, now())
    except DatabaseError:
        log.exception("A page could not be told whose mail led to it.")
        return link


def _is_program(request: HttpRequest) -> bool:
    """Return whether a program asks that checks links, with HEAD, or ahead of time."""
    return request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", "")


def _count_reaction(
    request: HttpRequest, number: int, noted: Callable[[Delivery, datetime], None]
) -> None:
    """Record it, unless a program asks. A link also leads on while nothing can be recorded."""
    if _is_program(request):
        return
    try:
        if mail := links.tracked_delivery(number):
            noted(mail, now())
    except DatabaseError:
        log.exception("What became of a mail could not be noted.")
