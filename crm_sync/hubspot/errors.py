"""HubSpot's ways of saying no → the port's errors, by a table.

The sentences are for a person on the ledger's page: names of properties and HubSpot's reasons,
bounded. The envelope's keys are all optional and a body may be HTML, so nothing is taken for granted.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync.hubspot.calls import Call
from crm_sync.hubspot.wire import Answer
from crm_sync.port import CrmBusy, CrmDenied, CrmError, CrmMissing, CrmRefused, CrmSilent

LONGEST_WAIT = 3600.0
USED_UP = (
    "HubSpot's limit of requests for today is used up; "
    "it starts anew at midnight in the account's time zone."
)
EXISTING_ID = re.compile(r"Existing ID: (\d{1,20})|(\d{1,20}) already has that value")
REASONS = {
    "PROPERTY_DOESNT_EXIST": "there is no such property in HubSpot",
    "INVALID_EMAIL": "HubSpot does not take it as an e-mail address",
    "INVALID_OPTION": "the value is none of the property's options",
    "INVALID_INTEGER": "the value is not a number",
    "INVALID_LONG": "the value is not a number or a time",
    "READ_ONLY_VALUE": "the property is read-only",
    "REQUIRED_FIELD": "HubSpot requires a value",
    "CONFLICTING_UNIQUE_VALUE": "another record has the same value",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A refusal: an answer's body, or one entry of a batch's `errors`."""

    status: int
    body: Mapping[str, Any]
    retry_after: str = ""

    @property
    def message(self) -> str:
        return bounded(self.body.get("message") or f"status {self.status}")


class NoScope(CrmDenied):
    """The token is good, and this call is not among what it may do. `scopes`: any one would do."""

    def __init__(self, sentence: str, scopes: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.scopes = tuple(scopes)


class UsedUp(CrmDenied):
    """The account's requests of the day."""


Kind = Callable[[Call, Said], CrmError]


def error_of(call: Call, answer: Answer) -> CrmError:
    """What an answer that is no 2xx means."""
    said = Said(answer.status, parsed(answer.body), answer.headers.get("retry-after", ""))
    return BY_STATUS.get(answer.status, _by_hundred(answer.status))(call, said)


def error_of_item(call: Call, item: Mapping[str, Any]) -> CrmError:
    """What one entry of a batch's `errors` means."""
    status = STATUS_OF_CATEGORY.get(str(item.get("category") or ""), 400)
    return BY_STATUS.get(status, unanswered_said)(call, Said(status, item))


def unanswered(call: Call, why: str) -> CrmError:
    """No answer that tells the outcome: harmless where the call may be repeated."""
    if call.retry:
        return CrmBusy(f"HubSpot did not answer when asked to {call.purpose}: {why}.")
    return CrmSilent(
        f"HubSpot did not answer when asked to {call.purpose}: {why}. It may have been done."
    )


def unanswered_said(call: Call, said: Said) -> CrmError:
    return unanswered(call, said.message)


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, whatever the body is; {} when it is none."""
    try:
        found = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def bounded(text: object, most: int = 200) -> str:
    """One line of printable text."""
    line = "".join(sign if sign.isprintable() else " " for sign in str(text)[: 4 * most])
    return " ".join(line.split())[:most]


def _refused(call: Call, said: Said) -> CrmRefused:
    faults = dict(_faults(said.body))
    known = EXISTING_ID.search(str(said.body.get("message") or ""))
    existing = (known[1] or known[2]) if known else ""
    if faults:
        listed = "; ".join(f"{name}: {reason}" for name, reason in list(faults.items())[:10])
        return CrmRefused(f"HubSpot does not take the values: {listed}.", faults, existing)
    sentence = f"HubSpot refused when asked to {call.purpose}: {said.message}"
    return CrmRefused(sentence, {}, existing)


def _faults(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Properties at fault and why: the JSON list inside `message`, and the `errors`."""
    for fault in _listed_in(str(body.get("message") or "")):
        yield bounded(fault.get("name"), 100), _reason(fault.get("error"), fault.get("message"))
    for error in _dicts(body.get("errors")):
        for name in _strings(error.get("context"), "propertyName"):
            yield bounded(name, 100), _reason(error.get("code"), error.get("message"))
    if str(body.get("message") or "").endswith("required properties were not set."):
        for name in _strings(body.get("context"), "properties"):
            yield bounded(name, 100), REASONS["REQUIRED_FIELD"]


def _listed_in(message: str) -> list[Mapping[str, Any]]:
    start = message.find("[{")
    if start < 0:
        return []
    try:
        found, _ = json.JSONDecoder().raw_decode(message, start)
    except (ValueError, RecursionError):
        return []
    return [each for each in _dicts(found) if each.get("name")]


def _reason(code: object, message: object) -> str:
    return REASONS.get(str(code), "") or bounded(message or code or "not valid", 120)


def _dicts(found: object) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _strings(context: object, name: str) -> list[str]:
    found = context.get(name) if isinstance(context, dict) else None
    return [str(each) for each in found] if isinstance(found, list) else []


def _missing(call: Call, said: Said) -> CrmMissing:
    return CrmMissing(
        f"HubSpot does not have what it was asked for ({call.purpose}): {said.message}"
    )


def _no_token(call: Call, said: Said) -> CrmDenied:
    return CrmDenied(
        "HubSpot does not accept the access token: it is wrong, revoked or expired. "
        "Put a valid one into HUBSPOT_ACCESS_TOKEN."
    )


def _no_scope(call: Call, said: Said) -> NoScope:
    scopes = [
        bounded(scope, 80)
        for error in _dicts(said.body.get("errors"))
        for scope in _strings(error.get("context"), "requiredGranularScopes")
    ]
    if not scopes:
        return NoScope(f"HubSpot does not allow the access token to {call.purpose}: {said.message}")
    return NoScope(
        f"The access token may not {call.purpose}: give it the scope {' or '.join(scopes[:5])}.",
        scopes,
    )


def _too_fast(call: Call, said: Said) -> CrmError:
    policy = str(said.body.get("policyName") or "")
    if policy == "DAILY":
        return UsedUp(USED_UP)
    wait = _wait(said, 1 if policy.startswith("SECONDLY") else 10)
    return CrmBusy("HubSpot asks us to slow down.", wait, shared=True)


def _locked(call: Call, said: Said) -> CrmBusy:
    return CrmBusy("HubSpot is changing the same records at this moment.", max(2.0, _wait(said, 2)))


def _moving(call: Call, said: Said) -> CrmBusy:
    sentence = "HubSpot is moving the account to another data centre."
    return CrmBusy(sentence, _wait(said, 60), shared=True)


def _elsewhere(call: Call, said: Said) -> CrmDenied:
    return CrmDenied("HUBSPOT_BASE_URL answers with a redirect: it is not the API's own address.")


def _wait(said: Said, usual: float) -> float:
    """Seconds from Retry-After, when it is a plain number, within reason; else the usual."""
    told = said.retry_after.strip()
    seconds = float(told[:10]) if told.isascii() and told.isdigit() else usual
    return min(max(seconds, 1.0), LONGEST_WAIT)


def _by_hundred(status: int) -> Kind:
    return {3: _elsewhere, 4: _refused}.get(status // 100, unanswered_said)


BY_STATUS: Mapping[int, Kind] = {
    400: _refused,
    401: _no_token,
    403: _no_scope,
    404: _missing,
    408: unanswered_said,
    409: _refused,
    423: _locked,
    429: _too_fast,
    477: _moving,
    # 414 is the end of what can be merged, 5xx, 52x and 524 leave the outcome open: _by_hundred.
}
STATUS_OF_CATEGORY = {
    "VALIDATION_ERROR": 400,
    "INVALID_AUTHENTICATION": 401,
    "EXPIRED_AUTHENTICATION": 401,
    "MISSING_SCOPES": 403,
    "OBJECT_NOT_FOUND": 404,
    "CONFLICT": 409,
    "RATE_LIMITS": 429,
    "INTERNAL_ERROR": 500,
}
