"""Every error of the API is JSON of one shape, wherever it arose."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

from leadscoring.access_log import collect_people

log = logging.getLogger(__name__)

SAID = {
    400: ("bad_request", "The request cannot be understood."),
    401: ("unauthorized", "A valid API key is needed: Authorization: Bearer KEY."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("too_large", "The body is larger than 5 MiB."),
    429: ("rate_limited", "This key sends too much; send this again later."),
    500: ("internal", "Something went wrong here; it has been noted."),
    503: ("unavailable", "The database does not answer; try again in a moment."),
}


class ApiError(Exception):
    """An error that ends a view, with the answer to give."""

    def __init__(
        self,
        status: int,
        code: str = "",
        message: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        said = SAID.get(status, SAID[400])
        self.status = status
        self.code, self.message = code or said[0], message or said[1]
        self.fields = fields

    def response(self) -> HttpResponse:
        return error_response(self.status, self.code, self.message, self.fields)


def database_away(error: Exception) -> HttpResponse:
    """Answer a request during which the database did not answer."""
    log.error("The database did not answer a request.", exc_info=error)
    return ApiError(503).response()


def answer_with_errors(
    view: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Answer by a view that tells senders nothing of people: nothing of it is a reading of them."""
    try:
        with collect_people():
            return view(request, *args, **kwargs)
    except ApiError as error:
        return error.response()
    except (OperationalError, InterfaceError) as error:
        return database_away(error)


def error_response(
    status: int,
    code: str,
    message: str,
    fields: Mapping[str, str] | None = None,
    **beside: Any,
) -> HttpResponse:
    error = {"code": code, "message": message, "fields": fields or {}}
    response = JsonResponse({"error": error, **beside}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response["Retry-After"] = "1"
    return response
