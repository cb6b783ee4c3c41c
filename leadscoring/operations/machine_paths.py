"""The addresses that machines ask: they answer whatever host name the request was sent to.

A container's health check asks localhost, a monitor an address; neither is a host of the site, and
neither is redirected to https.
"""

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse

from leadscoring.operations import health
from leadscoring.operations.machine_addresses import HEALTH, METRICS, READINESS

VIEWS: Mapping[str, Callable[[HttpRequest], HttpResponse]] = {
    HEALTH: health.healthz,
    READINESS: health.readyz,
    METRICS: health.metrics,
}


def answer_machines(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer the machines' addresses before anything looks at the host name."""

    def middleware(request: HttpRequest) -> HttpResponse:
        view = VIEWS.get(request.path)
        if view is None:
            return get_response(request)
        answer = view(request)
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Cache-Control"] = "no-store"
        return answer

    return middleware
