"""What holds for every answer of the API, wherever it was made."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from leadscoring.api.errors import ApiError


def no_store(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Keep answers about people out of every cache on their way."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def json_errors(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Turn Django's own errors for an address of the API (404, 405, 500) into JSON."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        if not request.path.startswith("/api/") or response.status_code < 400 or is_json:
            return response
        told = ApiError(response.status_code).response()
        if "Allow" in response.headers:
            told["Allow"] = response.headers["Allow"]
        return told

    return middleware
