"""Map Pipedrive's error answers to the port's errors, by a table of status codes.

The messages are for people on the ledger's page: names of fields and Pipedrive's reasons, bounded in
length. Every key of an error body is optional, and the body may be HTML.
docs/pipedrive-facts.md#error-body
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_sync.pipedrive.transport.calls import PipedriveCall
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

WINDOW = 2.0  # seconds over which requests are counted
LONGEST_WAIT = 60.0  # seconds; what asks for more is no matter of the rate
BLOCKED_SECONDS = 600.0
REMAINING = "x-daily-ratelimit-token-remaining"
USED_UP = (
    "Pipedrive's tokens for today are used up, by all integrations of the company together; "
    "they start anew at midnight on Pipedrive's servers."
)
BLOCKED = "Pipedrive has blocked our requests for a while, because too many were refused before."


class DayUsedUp(CrmDenied):
    """The company's tokens of the day are used up. docs/pipedrive-facts.md#tokens-of-a-day"""


class NotPermitted(CrmDenied):
    """The token is valid, but its user or the account's plan may not do this."""


class PipedriveBlocked(CrmBusy):
    """Whoever goes on after 429 is answered with a page of HTML. docs/pipedrive-facts.md#bursts"""


@dataclass(frozen=True, slots=True)
class RefusedAnswer:
    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def message(self) -> str:
        said, listed = self.body.get("error"), self.body.get("errors")
        if not said and isinstance(listed, dict):
            said = "; ".join(f"{name}: {_first(why)}" for name, why in listed.items())
        return bounded_line(said or f"status {self.status}", 300)


def _first(why: object) -> object:
    return why[0] if isinstance(why, list) and why else why


Kind = Callable[[PipedriveCall, RefusedAnswer], CrmError]


def error_of_answer(call: PipedriveCall, answer: RawAnswer) -> CrmError:
    """Return the error for an answer that is not 2xx."""
    refused = RefusedAnswer(answer.status, answer.headers, parse_body(answer.body))
    usual = {3: _elsewhere, 4: _rejected}.get(answer.status // 100, _unclear)
    return BY_STATUS.get(answer.status, usual)(call, refused)


def silent_or_busy(call: PipedriveCall, why: str) -> CrmError:
    """Return the error for an unknown outcome: CrmBusy if the call may be repeated, else CrmSilent.

    docs/pipedrive-facts.md#unknown-outcomes
    """
    sentence = f"Pipedrive did not answer when asked to {call.purpose}: {why.rstrip('.')}."
    return CrmBusy(sentence) if call.retry else CrmSilent(f"{sentence} It may have been done.")


def named_faults(error: CrmRejected, sent: Iterable[str]) -> dict[str, str]:
    """Return which of the sent names a refusal speaks of, with its words.

    Pipedrive has no list of fields at fault, only a sentence. docs/pipedrive-facts.md#error-body
    """
    words = str(error)
    reason = bounded_line(words.rpartition(": ")[2], 120)
    return {name: reason for name in sent if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words)}


def _rejected(call: PipedriveCall, refused: RefusedAnswer) -> CrmError:
    return CrmUnexplained(f"Pipedrive refused when asked to {call.purpose}: {refused.message}")


def _missing(call: PipedriveCall, refused: RefusedAnswer) -> CrmError:
    return CrmMissing(
        f"Pipedrive does not have what it was asked for ({call.purpose}): {refused.message}"
    )


def _no_token(call: PipedriveCall, refused: RefusedAnswer) -> CrmError:
    return CrmDenied(
        "Pipedrive does not accept the API token: it is wrong, or a new one was made. "
        "Put the valid one into PIPEDRIVE_API_TOKEN."
    )


def _unpaid(call: PipedriveCall, refused: RefusedAnswer) -> CrmError:
    return CrmDenied("The Pipedrive account is closed or not paid for.")


def _forbidden(call: PipedriveCall, refused: RefusedAnswer) -> CrmError:
    if not refused.body:
        return PipedriveBlocked(BLOCKED, BLOCKED_SECONDS, shared=True)
    return NotPermitted(
        f"Pipedrive does not allow the token's user to {call.purpose}: {refused.message}"
    )


def _too_fast(call: PipedriveCall, refused: RefusedAnswer) -> CrmError:
    left = refused.headers.get(REMAINING, "").strip()
    if left.isascii() and left.isdigit() and int(left[:12]) < call.cost:
        return DayUsedUp(USED_UP)
    return CrmBusy("Pipedrive asks us to slow down.", _wait(refused.headers), shared=True)


def _wait(headers: Mapping[str, str]) -> float:
    """Return the seconds until the window ends, from 1 to LONGEST_WAIT; WINDOW when not told.

    docs/pipedrive-facts.md#bursts
    """
    told = (headers.get("retry-after") or headers.get("x-ratelimit-reset") or "").strip()
    known = float(told) if re.fullmatch(r"\d{1,5}(\.\d{1,6})?", told, re.ASCII) else WINDOW
    return max(1.0, known) if known <= LONGEST_WAIT else WINDOW


def _elsewhere(call: PipedriveCall, refused: RefusedAnswer) -> CrmError:
    return CrmDenied("PIPEDRIVE_BASE_URL answers with a redirect: it is not the API's own address.")


def _unclear(call: PipedriveCall, refused: RefusedAnswer) -> CrmError:
    return silent_or_busy(call, refused.message)


BY_STATUS: Mapping[int, Kind] = {
    401: _no_token,
    402: _unpaid,
    403: _forbidden,
    404: _missing,
    408: _unclear,
    410: _missing,
    429: _too_fast,
    # 5xx leave the outcome open. docs/pipedrive-facts.md#unknown-outcomes
}
