"""Pipedrive's ways of saying no: one exception, and a function for each kind of refusal."""

from typing import Any

from ..server.refusals import Refused

INFO = "Please check developers.pipedrive.com for more information about Pipedrive API."
BAD_REQUEST = "ERR_BAD_REQUEST"
INVALID = "ERR_SCHEMA_VALIDATION_FAILED"


class Refusal(Refused):
    """The request is not carried out, and nothing of it is stored."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        *,
        headers: dict[str, str] | None = None,
        whole: dict[str, Any] | None = None,
    ) -> None:
        """`whole`: the body, where it is of another form."""
        super().__init__(status, message)
        self.code = code
        self.headers = headers or {}
        self._whole = whole

    def body(self) -> dict[str, Any]:
        if self._whole is not None:
            return self._whole
        body = {
            "success": False,
            "error": self.message,
            "error_info": INFO,
            "data": None,
            "additional_data": None,
        }
        return body | ({"code": self.code} if self.code else {})


def bad_request(message: str) -> Refusal:
    return Refusal(400, message, BAD_REQUEST)


def invalid(name: str, reason: str) -> Refusal:
    return Refusal(400, f"Validation failed: {name}: {reason}", INVALID)


def not_allowed(name: str) -> Refusal:
    return bad_request(f"Parameter '{name}' is not allowed for this request")


def not_found(what: str) -> Refusal:
    return Refusal(404, f"{what} not found", "ERR_NOT_FOUND")


def unauthorized() -> Refusal:
    """As it was seen on the live service."""
    return _by_gateway(401, "unauthorized access", {"x-401-by-gw": "true"})


def forbidden(message: str = "You do not have permissions to perform this action") -> Refusal:
    return _by_gateway(403, message)


def capped(what: str) -> Refusal:
    """The plan has no more of it."""
    return Refusal(403, f"Your plan's limit of {what} is reached", f"feature_capping_{what}_limit")


def _by_gateway(status: int, message: str, headers: dict[str, str] | None = None) -> Refusal:
    whole = {"success": False, "error": message, "errorCode": status, "error_info": INFO}
    return Refusal(status, message, headers=headers, whole=whole)


def bad_webhook(name: str, reason: str, status: int = 400) -> Refusal:
    whole = {"status": "error", "success": False, "errors": {name: [reason]}}
    return Refusal(status, reason, whole=whole)
