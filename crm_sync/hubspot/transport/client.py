"""Make the requests of `calls.py` through the client library, within the shared rate limit.

A call ends within the time limit of its transport and raises the port's errors alone. It is repeated
here only when it was refused for the rate of requests, and only for callers that have time.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from crm_sync.hubspot.transport.calls import ApiCall
from crm_sync.hubspot.transport.errors import error_from_answer, no_answer_error
from crm_sync.hubspot.transport.rate_limit import RateLimiter
from crm_sync.hubspot.transport.versions import CLASSIC
from crm_sync.port import CrmBusy, CrmDenied, CrmError, Priority
from crm_sync.transport.http import (
    TOTAL_SECONDS,
    HttpError,
    HttpTransport,
    NoHttpAnswer,
    RawAnswer,
)
from crm_sync.transport.json_body import parse_body
from crm_sync.transport.patience import ask_patiently, check_in_time
from leadscoring.common.text import bounded_line

logger = logging.getLogger(__name__)

# Seconds to connect, seconds between two pieces of the answer; the library has no bound of its own.
# docs/hubspot-facts.md#library-timeouts-and-retries
TIMEOUTS = (3.05, 10.0)

Json = dict[str, Any]


class Sdk:
    """The client library over our own HTTP transport, created on first use. Belongs to one process.

    docs/hubspot-facts.md#library-objects
    """

    def __init__(self, token: str, base_url: str, seconds: float = TOTAL_SECONDS) -> None:
        self._token = token
        self._base_url = base_url
        self._seconds = seconds

    @cached_property
    def api(self) -> Any:
        if not (self._token.isascii() and self._token.isprintable()):
            # http.client would refuse the header with an error that shows the token.
            raise CrmDenied("HUBSPOT_ACCESS_TOKEN has signs in it that no token has.")
        # Imported when first used: 150 ms and 14 MB that processes without a CRM need not pay.
        # Any module's ApiClient reaches every path; the one of owners is the smallest.
        from hubspot import Client

        # `retry`: docs/hubspot-facts.md#library-timeouts-and-retries
        wrapped = Client.create(
            access_token=self._token, host=self._base_url, retry=False
        ).crm.owners.owners_api.api_client
        wrapped.rest_client.pool_manager = HttpTransport(self._seconds)
        return wrapped


class HubSpotClient:
    """`version`: of HubSpot's API. `priority`: of its calls in the shared budget.

    `patient_until`: the reading of time.monotonic() up to which a call that was refused for the rate
    is asked again.
    """

    def __init__(
        self,
        sdk: Sdk,
        limiter: RateLimiter,
        version: str = CLASSIC,
        priority: Priority = "live",
        patient_until: float = 0.0,
    ) -> None:
        self._sdk = sdk
        self.limiter = limiter
        self.version = version
        self._priority: Priority = priority
        self._patient_until = patient_until

    def with_priority(self, priority: Priority, until: float = 0.0) -> "HubSpotClient":
        return HubSpotClient(self._sdk, self.limiter, self.version, priority, until)

    def room(self) -> float:
        """Return the seconds until an ordinary call would be admitted."""
        return self.limiter.room(self._priority)

    def ask(
        self,
        call: ApiCall,
        body: Json | None = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Iterable[tuple[str, str]] = (),
        until: float | None = None,
    ) -> Json:
        """Return the JSON object of the answer, {} for a 2xx without a body; raise CrmError otherwise.

        `until`: the reading of time.monotonic() after which the call is not made any more (CrmBusy).
        """
        call = call.in_version(self.version)
        return ask_patiently(
            lambda: self._ask_once(call, body, path, query, until),
            self._patient_until,
            repeatable=call.retry,
        )

    def _ask_once(
        self,
        call: ApiCall,
        body: Json | None,
        path: Mapping[str, str] | None,
        query: Iterable[tuple[str, str]],
        until: float | None,
    ) -> Json:
        api = self._sdk.api
        self.limiter.wait(call, self._priority)
        check_in_time(call.purpose, until)
        answer = self._answer(api, call, body, dict(path or {}), list(query))
        if not answer.body:
            return {}
        found = parse_body(answer.body)
        if not found:
            raise no_answer_error(call, "the answer was not JSON")
        return found

    def _answer(
        self,
        api: Any,
        call: ApiCall,
        body: Json | None,
        path: dict[str, str],
        query: list[tuple[str, str]],
    ) -> RawAnswer:
        # Read raw: the library drops what its models lack. docs/hubspot-facts.md#library-errors
        try:
            answer: RawAnswer = api.call_api(
                call.path,
                call.method,
                path_params=path,
                query_params=query,
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=body,
                auth_settings=["oauth2"],
                _preload_content=False,
                _request_timeout=TIMEOUTS,
            )
        except HttpError as refusal:
            raise self._refusal(call, refusal.answer) from None
        except NoHttpAnswer as silence:
            logger.warning("%s %s: %s", call.method, call.path, silence)
            raise _silence(call, silence) from None
        self.limiter.learn(answer.headers)
        return answer

    def _refusal(self, call: ApiCall, answer: RawAnswer) -> CrmError:
        error = error_from_answer(call, answer)
        correlation = bounded_line(parse_body(answer.body).get("correlationId") or "-", 50)
        logger.warning(
            "%s %s answered %s, correlation %s", call.method, call.path, answer.status, correlation
        )
        self.limiter.learn(answer.headers)
        self.limiter.obey(call, answer.status, error)
        return error


def _silence(call: ApiCall, silence: NoHttpAnswer) -> CrmError:
    """Return the error for a call without an answer. What was never sent was certainly not done.

    docs/hubspot-facts.md#unknown-outcomes
    """
    if not silence.sent:
        return CrmBusy(f"HubSpot is away when asked to {call.purpose}: {silence}.")
    return no_answer_error(call, str(silence))
