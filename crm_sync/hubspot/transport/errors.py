"""Map HubSpot's error answers to the port's errors, by a table of status codes.

The messages are for people on the ledger's page: names of properties and HubSpot's reasons, bounded
in length. Every key of an error body is optional, and the body may be HTML.
docs/hubspot-facts.md#error-body
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync.hubspot.transport.calls import ApiCall
from crm_sync.hubspot.transport.error_details import (
    conflicting_record_id,
    dicts_in,
    plain_message,
    property_errors,
    strings_in,
)
from crm_sync.port import (
    CrmBusy,
    CrmDenied,
    CrmError,
    CrmMissing,
    CrmRejected,
    CrmSilent,
    CrmUnexplained,
)
from crm_sync.transport.http import RawAnswer
from crm_sync.transport.json_body import parse_body
from leadscoring.common.text import bounded_line

LONGEST_WAIT = 3600.0  # seconds
USED_UP = (
    "HubSpot's limit of requests for today is used up; "
    "it starts anew at midnight in the account's time zone."
)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error answer's body, or one entry of a batch's `errors`."""

    status: int
    body: Mapping[str, Any]
    retry_after: str = ""

    @property
    def message(self) -> str:
        return bounded_line(self.body.get("message") or f"status {self.status}", 200)


class MissingScope(CrmDenied):
    """The token is valid but lacks a scope for the call. `scopes`: any one of them is enough."""

    def __init__(self, sentence: str, scopes: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.scopes = tuple(scopes)


class DailyLimitReached(CrmDenied):
    """The account's daily limit is used up. docs/hubspot-facts.md#daily-limit"""


Kind = Callable[[ApiCall, ErrorBody], CrmError]


def error_from_answer(call: ApiCall, answer: RawAnswer) -> CrmError:
    """Return the error for an answer that is not 2xx."""
    said = ErrorBody(answer.status, parse_body(answer.body), answer.headers.get("retry-after", ""))
    return BY_STATUS.get(answer.status, _by_hundred(answer.status))(call, said)


def error_from_item(call: ApiCall, item: Mapping[str, Any]) -> CrmError:
    """Return the error for one entry of a batch's `errors`."""
    status = STATUS_OF_CATEGORY.get(str(item.get("category") or ""), 400)
    return BY_STATUS.get(status, unclear_answer_error)(call, ErrorBody(status, item))


def no_answer_error(call: ApiCall, why: str) -> CrmError:
    """Return the error for an unknown outcome: CrmBusy if the call may be repeated, else CrmSilent.

    docs/hubspot-facts.md#unknown-outcomes
    """
    if call.retry:
        return CrmBusy(f"HubSpot did not answer when asked to {call.purpose}: {why.rstrip('.')}.")
    return CrmSilent(
        f"HubSpot did not answer when asked to {call.purpose}: {why.rstrip('.')}. It may have been done."
    )


def unclear_answer_error(call: ApiCall, said: ErrorBody) -> CrmError:
    return no_answer_error(call, said.message)


def _refused(call: ApiCall, said: ErrorBody) -> CrmRejected:
    faults, existing = property_errors(said.body), conflicting_record_id(said.body)
    if faults:
        return rejected_values_error(faults, existing)
    sentence = f"HubSpot refused when asked to {call.purpose}: {plain_message(said.message)}"
    if existing:
        return CrmRejected(sentence, {}, existing)
    return CrmUnexplained(sentence)


def rejected_values_error(faults: Mapping[str, str], existing: str) -> CrmRejected:
    """Return the error for rejected property values. The message names the first ten."""
    listed = "; ".join(f"{name}: {why}" for name, why in list(faults.items())[:10])
    return CrmRejected(f"HubSpot does not take the values: {listed}.", faults, existing)


def explained_by(refused: CrmRejected, sent: Mapping[str, str]) -> CrmRejected:
    """Return the error as unexplained when none of the properties at fault was sent.

    An account's required properties are named so. docs/hubspot-facts.md#writes-refused-for-the-account
    """
    if refused.existing_id or sent.keys() & refused.properties.keys():
        return refused
    return CrmUnexplained(str(refused), refused.properties)


def _merged_too_often(call: ApiCall, said: ErrorBody) -> CrmRejected:
    # docs/hubspot-facts.md#merged-records
    return CrmRejected("HubSpot cannot take more into this record: it was merged too often.")


def _missing(call: ApiCall, said: ErrorBody) -> CrmMissing:
    return CrmMissing(
        f"HubSpot does not have what it was asked for ({call.purpose}): {said.message}"
    )


def _no_token(call: ApiCall, said: ErrorBody) -> CrmDenied:
    return CrmDenied(
        "HubSpot does not accept the access token: it is wrong, revoked or expired. "
        "Put a valid one into HUBSPOT_ACCESS_TOKEN."
    )


def _no_scope(call: ApiCall, said: ErrorBody) -> MissingScope:
    # docs/hubspot-facts.md#rejected-tokens
    scopes = [
        bounded_line(scope, 80)
        for error in dicts_in(said.body.get("errors"))
        for scope in strings_in(error.get("context"), "requiredGranularScopes")
    ]
    if not scopes:
        return MissingScope(
            f"HubSpot does not allow the access token to {call.purpose}: {said.message}"
        )
    return MissingScope(
        f"The access token may not {call.purpose}: give it the scope {' or '.join(scopes[:5])}.",
        scopes,
    )


def _too_fast(call: ApiCall, said: ErrorBody) -> CrmError:
    # docs/hubspot-facts.md#rate-limit-answers
    policy = str(said.body.get("policyName") or "")
    if policy == "DAILY":
        return DailyLimitReached(USED_UP)
    wait = _wait(said, 1 if policy.startswith("SECONDLY") else 10)
    return CrmBusy("HubSpot asks us to slow down.", wait, shared=True)


def _locked(call: ApiCall, said: ErrorBody) -> CrmBusy:
    # docs/hubspot-facts.md#locks-and-migrations
    return CrmBusy("HubSpot is changing the same records at this moment.", max(2.0, _wait(said, 2)))


def _moving(call: ApiCall, said: ErrorBody) -> CrmBusy:
    # docs/hubspot-facts.md#locks-and-migrations
    sentence = "HubSpot is moving the account to another data centre."
    return CrmBusy(sentence, _wait(said, 60), shared=True)


def _elsewhere(call: ApiCall, said: ErrorBody) -> CrmDenied:
    return CrmDenied("HUBSPOT_BASE_URL answers with a redirect: it is not the API's own address.")


def _wait(said: ErrorBody, usual: float) -> float:
    """Return Retry-After in seconds, `usual` when it is no whole number; from 1 to LONGEST_WAIT.

    docs/hubspot-facts.md#rate-limit-answers
    """
    told = said.retry_after.strip()
    seconds = float(told[:10]) if told.isascii() and told.isdigit() else usual
    return min(max(seconds, 1.0), LONGEST_WAIT)


def _by_hundred(status: int) -> Kind:
    return {3: _elsewhere, 4: _refused}.get(status // 100, unclear_answer_error)


BY_STATUS: Mapping[int, Kind] = {
    400: _refused,
    401: _no_token,
    403: _no_scope,
    404: _missing,
    408: unclear_answer_error,
    409: _refused,
    414: _merged_too_often,
    423: _locked,
    429: _too_fast,
    477: _moving,
    # 5xx, 52x and 524 leave the outcome open: _by_hundred. docs/hubspot-facts.md#unknown-outcomes
}
# docs/hubspot-facts.md#error-body
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
