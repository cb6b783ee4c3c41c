"""From which address a request came."""

from allauth.core.internal.httpkit import get_client_ip
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

UNKNOWN = "0.0.0.0"  # noqa: S104  # no address to listen at: it stands for one that is not known


def client_address(request: HttpRequest | None) -> str:
    """Return the address of who sent a request, as the proxies before us say it.

    One that did not pass all of them came from nearby: its own address counts, never one that it
    named itself.
    """
    if request is None:
        return UNKNOWN
    try:
        address = get_client_ip(request)
    except ImproperlyConfigured:
        address = request.META.get("REMOTE_ADDR")
    return address or UNKNOWN
