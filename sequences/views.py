"""The unsubscribe page: no log-in, changes nothing until asked to."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from sequences.unsubscribing import delivery_of, unsubscribe


# Exempt because mail programs post without ever having seen the page (RFC 8058); the signature in
# the address is what proves the right to ask. The body is not read.
@csrf_exempt
@never_cache
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST does it, by the page's button or in one click by a mail program."""
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "POST"])
    delivery = delivery_of(token)
    if delivery is None:
        return render(request, "pages/unsubscribe.html", {"unknown": True}, status=404)
    if request.method == "POST":
        unsubscribe(delivery, now())
    return render(
        request,
        "pages/unsubscribe.html",
        {"email": delivery.email, "done": request.method == "POST"},
    )
