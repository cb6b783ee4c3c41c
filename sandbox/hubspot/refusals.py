"""HubSpot's ways of saying no: one exception, and a function for each kind of refusal."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from ..server.refusals import Refused

Context = Mapping[str, list[str]]


class Refusal(Refused):
    """The request is not carried out, and nothing of it is stored."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        sub_category: str = "",
        context: Context | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.category = category
        self.sub_category = sub_category
        self.context = dict(context or {})
        self.errors = errors or []

    def body(self) -> dict[str, Any]:
        """The envelope of a refused request; empty keys are left out, as HubSpot does."""
        body: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid4()),
            "category": self.category,
        }
        optional = {
            "subCategory": self.sub_category,
            "context": self.context,
            "errors": self.errors,
        }
        return body | {key: value for key, value in optional.items() if value}

    def item(self, trace: str = "") -> dict[str, Any]:
        """The same refusal as one entry of a 207's `errors`."""
        context = self.context | ({"objectWriteTraceId": [trace]} if trace else {})
        entry: dict[str, Any] = {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": context,
            "errors": self.errors,
            "links": {},
        }
        return entry | ({"subCategory": self.sub_category} if self.sub_category else {})


def bad_request(message: str, **more: Any) -> Refusal:
    return Refusal(400, "VALIDATION_ERROR", message, **more)


def bad_json(message: str) -> Refusal:
    return bad_request(f"Invalid input JSON: {message}")


def not_found(what: str = "resource not found") -> Refusal:
    return Refusal(404, "OBJECT_NOT_FOUND", what)


def conflict(message: str) -> Refusal:
    return Refusal(409, "CONFLICT", message)


def invalid_property(name: str, error: str, message: str, portal_id: int) -> dict[str, Any]:
    return {
        "isValid": False,
        "message": message,
        "error": error,
        "name": name,
        "localizedErrorMessage": message,
        "portalId": portal_id,
    }


def invalid_properties(faults: Iterable[dict[str, Any]]) -> Refusal:
    """The list travels as JSON inside the sentence: that is how HubSpot does it."""
    listed = list(faults)
    return bad_request(
        f"Property values were not valid: {json.dumps(listed)}",
        errors=[
            {
                "message": fault["message"],
                "code": fault["error"],
                "context": {"propertyName": [fault["name"]]},
            }
            for fault in listed
        ],
    )


def required(kind: str, names: list[str]) -> Refusal:
    return bad_request(
        f"Error creating {kind}. Some required properties were not set.",
        context={"properties": names},
        errors=[{"message": f"{name} was not set", "code": "REQUIRED_FIELD"} for name in names],
    )


def missing_scopes(scopes: Iterable[str]) -> Refusal:
    return Refusal(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": sorted(scopes)},
            }
        ],
    )
