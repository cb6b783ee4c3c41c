"""What a request may say, held to the published description: names, types, and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

from .refusals import bad_request, invalid, not_allowed

Schema = Mapping[str, Any]
TYPES: dict[str, Any] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
# Parts of a name are not described, but taken (seen on a live account).
NAMES = {"first_name": {"type": "string"}, "last_name": {"type": "string"}}
# Described, and yet refused, or of no use here.
READ_ONLY = {
    "person_id": "'person_id' is a read-only field. Add a primary participant to set 'person_id' instead."
}


def check_body(path: str, schema: Schema, body: Any) -> Any:
    if path.startswith("/v2/persons") and "properties" in schema:
        schema = {**schema, "properties": {**schema["properties"], **NAMES}}
    if path.startswith("/v2/activities") and isinstance(body, dict):
        for name in READ_ONLY.keys() & body.keys():
            raise bad_request(READ_ONLY[name])
    _check(body, schema, "")
    return body


def _check(value: Any, schema: Schema, name: str) -> None:
    if value is None and schema.get("nullable"):
        return
    kind = schema.get("type", "object")
    is_flag = isinstance(value, bool)
    if not isinstance(value, TYPES[kind]) or is_flag != (kind == "boolean"):
        raise invalid(name or "body", f"The value is not a valid '{kind}'")
    if value not in schema.get("enum", [value]):
        raise invalid(name, f"must be one of {', '.join(map(str, schema['enum']))}")
    if kind == "string" and len(value) > schema.get("maxLength", len(value)):
        raise invalid(name, f"must have at most {schema['maxLength']} characters")
    if kind == "array":
        for number, each in enumerate(value):
            _check(each, schema.get("items", {}), f"{name}[{number}]")
    if kind == "object":
        _check_object(value, schema, name)


def _check_object(value: Mapping[str, Any], schema: Schema, name: str) -> None:
    known = schema.get("properties", {})
    for key, each in value.items():
        called = f"{name}.{key}" if name else key
        if key in known:
            _check(each, known[key], called)
        elif not schema.get("additionalProperties"):
            raise not_allowed(called)
    for key in schema.get("required", []):
        if key not in value:
            raise invalid(f"{name}.{key}" if name else key, "is required")


def check_query(parameters: Sequence[Schema], query: Mapping[str, str]) -> dict[str, Any]:
    """The parameters with their types; what is not described is refused."""
    known = {each["name"]: each for each in parameters if each["in"] == "query"}
    for name in query:
        if name not in known:
            raise not_allowed(name)
    for name, each in known.items():
        if each.get("required") and not query.get(name):
            raise invalid(name, "is required")
    return {name: _read(text, known[name]["schema"], name) for name, text in query.items()}


def _read(text: str, schema: Schema, name: str) -> Any:
    match schema["type"]:
        case "integer":
            return whole(text, name)
        case "boolean":
            if text not in ("true", "false"):
                raise invalid(name, "The value is not a valid 'boolean'")
            return text == "true"
    allowed = schema.get("enum")
    # A list of them is one text, with commas.
    if allowed and not set(text.split(",")) <= {
        part for each in allowed for part in each.split(",")
    }:
        raise invalid(name, f"must be one of {', '.join(allowed)}")
    return text


def whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise invalid(name, "The value is not a valid 'integer'")
    return int(text)
