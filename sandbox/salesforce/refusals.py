"""Salesforce's ways of saying no: one exception, written as an entry of a refused request or of a row."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..server.refusals import Refused


class Refusal(Refused):
    """Nothing of the request, or of the row, is stored. `code`: the errorCode, a row's statusCode."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Sequence[str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.code = code
        self.fields = fields
        self.more = more or {}

    def body(self) -> list[dict[str, Any]]:
        """The answer to a refused request."""
        named = {} if self.fields is None else {"fields": list(self.fields)}
        return [{"message": self.message, "errorCode": self.code} | named | dict(self.more)]

    def row(self) -> dict[str, Any]:
        """One entry of a row's `errors`."""
        entry = {
            "statusCode": self.code,
            "message": self.message,
            "fields": list(self.fields or []),
        }
        return entry | dict(self.more)


def bad(code: str, message: str, fields: Sequence[str] | None = None) -> Refusal:
    return Refusal(400, code, message, fields)


def bad_json(message: str) -> Refusal:
    return bad("JSON_PARSER_ERROR", f"{message} at [line:1, column:2]")


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    return Refusal(404, "NOT_FOUND", message)


def no_column(name: str, object_: str, *, written: bool = False) -> Refusal:
    """Also for a field that field-level security hides: nothing tells the two apart."""
    if written:
        return bad("INVALID_FIELD", f"No such column '{name}' on sobject of type {object_}")
    return bad(
        "INVALID_FIELD",
        f"No such column '{name}' on entity '{object_}'. If you are attempting to use a custom field, "
        "be sure to append the '__c' after the custom field name. Please reference your WSDL or the "
        "describe call for the appropriate names.",
    )


def no_object(name: str) -> Refusal:
    return bad("INVALID_TYPE", f"sObject type '{name}' is not supported.")


def malformed(message: str) -> Refusal:
    return bad("MALFORMED_QUERY", message)
