"""`/composite`: up to 25 requests in one, one after another; later ones may name what earlier ones answered."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..call import Answer, Call, Item
from ..refusals import Refusal, bad, bad_json

MOST_PARTS = 25
MOST_QUERIES = 5
KEYS = {"method", "url", "referenceId", "body", "httpHeaders"}
QUERIES = ("/query", "/queryAll", "/composite/sobjects", "/query/")
REFERENCE = re.compile(r"@\{(\w+)((?:[.\[][^}]*)?)\}")
REFERENCE_ID = re.compile(r"\w+")
HALTED = bad(
    "PROCESSING_HALTED",
    "The transaction was rolled back since another operation in the same transaction failed.",
)


def composite(call: Call) -> Answer:
    sent = call.document("allOrNone", "collateSubrequests", "compositeRequest")
    parts = _parts(call, sent.get("compositeRequest"))
    all_or_none = call.flag(sent.get("allOrNone"), "allOrNone")
    before = call.snapshot() if all_or_none else None
    answers: dict[str, Answer] = {}
    for part in parts:
        answers[part["referenceId"]] = _answer(call, part, answers)
    if before is not None and any(status >= 400 for status, _ in answers.values()):
        call.roll_back(before)
        answers = {
            name: (status, body) if status >= 400 else (HALTED.status, HALTED.body())
            for name, (status, body) in answers.items()
        }
    return 200, {
        "compositeResponse": [
            {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": name}
            for name, (status, body) in answers.items()
        ]
    }


def _parts(call: Call, sent: Any) -> list[Item]:
    if not isinstance(sent, list) or not sent or not all(isinstance(each, dict) for each in sent):
        raise bad_json("compositeRequest must be a list of requests")
    if len(sent) > MOST_PARTS:
        raise bad("LIMIT_EXCEEDED", f"The limit of {MOST_PARTS} subrequests has been exceeded")
    names = [each.get("referenceId") for each in sent]
    for each in sent:
        if not each.keys() <= KEYS or not {"method", "url", "referenceId"} <= each.keys():
            raise bad_json("a subrequest has method, url, referenceId, body and httpHeaders")
    if len(set(names)) < len(names) or not all(REFERENCE_ID.fullmatch(str(each)) for each in names):
        raise bad(
            "INVALID_INPUT", "Each referenceId must be unique, of letters, digits and underscores"
        )
    queries = [each for each in sent if _path(call, each["url"])[0].startswith(QUERIES)]
    if len(queries) > MOST_QUERIES:
        message = f"The limit of {MOST_QUERIES} query and collection subrequests has been exceeded"
        raise bad("LIMIT_EXCEEDED", message)
    return sent


def _path(call: Call, url: Any) -> tuple[str, dict[str, str]]:
    parts = urlsplit(str(url))
    path = parts.path.removeprefix(call.base)
    if path == parts.path or path.rstrip("/") == "/composite":
        raise bad(
            "INVALID_INPUT", f"'{str(url)[:80]}' is no url for a subrequest of v{call.version}"
        )
    return path, dict(parse_qsl(parts.query, keep_blank_values=True))


def _answer(call: Call, part: Item, answers: dict[str, Answer]) -> Answer:
    try:
        resolved = json.loads(REFERENCE.sub(lambda found: _named(found, answers), json.dumps(part)))
        path, query = _path(call, resolved["url"])
        more = {name.lower(): str(value) for name, value in resolved.get("httpHeaders", {}).items()}
        return call.again(
            replace(
                call, method=str(resolved["method"]).upper(), path=path, query=query,
                headers={**call.headers, **more}, body=resolved.get("body"),
            )
        )  # fmt: skip
    except Refusal as refusal:
        return refusal.status, refusal.body()


def _named(found: re.Match[str], answers: dict[str, Answer]) -> str:
    """What `@{ref.id}` or `@{ref.records[0].Id}` stands for."""
    status, value = answers.get(found[1], (404, None))
    if status >= 400:
        raise bad(
            "PROCESSING_HALTED", f"Invalid reference specified. No value for {found[1]} found"
        )
    for name, number in re.findall(r"\.(\w+)|\[(\d+)\]", found[2]):
        try:
            value = value[int(number)] if number else value[name]
        except (KeyError, IndexError, TypeError):
            message = f"Invalid reference specified. No value for {found[1]}{found[2]} found"
            raise bad("PROCESSING_HALTED", message) from None
    return json.dumps(str(value))[1:-1]
