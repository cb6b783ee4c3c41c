"""HubSpot's ways of saying no → the port's errors, by a table.

The sentences are for a person on the ledger's page: names of properties and HubSpot's reasons,
bounded. The envelope's keys are all optional and a body may be HTML, so nothing is taken for granted.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync.hubspot.calls import Call
from crm_sync.hubspot.faults import bounded, dicts, existing_id, faults_in, meaning, strings
from crm_sync.hubspot.wire import Answer
from crm_sync.port import CrmBusy, CrmDenied, CrmError, CrmMissing, CrmRefused, CrmSilent

LONGEST_WAIT = 3600.0
USED_UP = (
    "HubSpot's limit of requests for today is used up; "
    "it starts anew at midnight in the account's time zone."
)


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
        return CrmBusy(f"HubSpot did not answer when asked to {call.purpose}: {why.rstrip('.')}.")
    return CrmSilent(
        f"HubSpot did not answer when asked to {call.purpose}: {why.rstrip('.')}. It may have been done."
    )


def unanswered_said(call: Call, said: Said) -> CrmError:
    return unanswered(call, said.message)


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, whatever the body is; {} when it is none.

    What no database column can hold is taken out of its texts: one odd deal name must not stop the
    reading of all others.
    """
    try:
        found = json.loads(body.decode("utf-8", "replace"))
        if UNSTORABLE.search(body):
            found = storable(found)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# NUL, and halves of characters, as JSON escapes them (a whole character is two of them: kept).
UNSTORABLE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")


def storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(name): storable(each) for name, each in value.items()}
    return value


def _refused(call: Call, said: Said) -> CrmRefused:
    faults, existing = faults_in(said.body), existing_id(said.body)
    if faults:
        return values_refused(faults, existing)
    sentence = f"HubSpot refused when asked to {call.purpose}: {meaning(said.message)}"
    return CrmRefused(sentence, {}, existing)


def values_refused(faults: Mapping[str, str], existing: str) -> CrmRefused:
    listed = "; ".join(f"{name}: {why}" for name, why in list(faults.items())[:10])
    return CrmRefused(f"HubSpot does not take the values: {listed}.", faults, existing)


def _merged_too_often(call: Call, said: Said) -> CrmRefused:
    return CrmRefused("HubSpot cannot take more into this record: it was merged too often.")


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
        for error in dicts(said.body.get("errors"))
        for scope in strings(error.get("context"), "requiredGranularScopes")
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
    414: _merged_too_often,
    423: _locked,
    429: _too_fast,
    477: _moving,
    # 5xx, 52x and 524 leave the outcome open: _by_hundred.
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
