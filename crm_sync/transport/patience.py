"""Ask again what a CRM refused for the rate of requests, for callers that have time."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from crm_sync.port import CrmBusy, CrmPaced

# Seconds; a refusal that asks for more is no matter of the rate.
LONGEST_REFUSAL = 60.0

Answer = TypeVar("Answer")


def ask_patiently(ask: Callable[[], Answer], until: float, *, repeatable: bool) -> Answer:
    """Return what `ask` returns; wait and ask again while it is refused for the rate of requests.

    `until`: the reading of time.monotonic() up to which there is time; after it the refusal is raised.
    `repeatable`: the call may be made twice.
    """
    while True:
        try:
            return ask()
        except CrmBusy as busy:
            for_rate = busy.shared or isinstance(busy, CrmPaced)
            wait = busy.retry_after
            in_time = wait <= LONGEST_REFUSAL and monotonic() + wait < until
            if not (for_rate and repeatable and in_time):
                raise
            sleep(wait)


def check_in_time(purpose: str, until: float | None) -> None:
    """Raise CrmBusy when the reading of time.monotonic() is past `until`. `purpose`: of the call."""
    if until is not None and monotonic() > until:
        raise CrmBusy(f"It had become too late to {purpose}: it is tried anew.", 1.0)
