"""One kept `ApiClient` of the client library, asked through the table of calls, at our pace.

A call ends within TOTAL_SECONDS (see wire.py), is never repeated here, and fails with the port's
errors alone.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from crm_sync.hubspot.calls import Call
from crm_sync.hubspot.errors import bounded, error_of, parsed, unanswered
from crm_sync.hubspot.pace import Pace
from crm_sync.hubspot.wire import TOTAL_SECONDS, Answer, NoAnswer, NotGood, Wire
from crm_sync.port import CrmBusy, CrmDenied, CrmError

logger = logging.getLogger(__name__)

TIMEOUTS = (3.05, 10.0)  # seconds to connect, seconds between two pieces of the answer

Json = dict[str, Any]


class Client:
    """Belongs to one process: make a new one after a fork."""

    def __init__(
        self, token: str, base_url: str, pace: Pace, seconds: float = TOTAL_SECONDS
    ) -> None:
        self._token = token
        self._base_url = base_url
        self._pace = pace
        self._seconds = seconds

    @cached_property
    def _api(self) -> Any:
        if not (self._token.isascii() and self._token.isprintable()):
            # http.client would refuse the header with an error that shows the token.
            raise CrmDenied("HUBSPOT_ACCESS_TOKEN has signs in it that no token has.")
        # Imported when first used: 150 ms and 14 MB that processes without a CRM need not pay.
        # Any module's ApiClient reaches every path; the one of owners is the smallest.
        from hubspot import Client as HubSpotClient

        wrapped = HubSpotClient.create(
            access_token=self._token, host=self._base_url, retry=False
        ).crm.owners.owners_api.api_client
        wrapped.rest_client.pool_manager = Wire(self._seconds)
        return wrapped

    def ask(
        self,
        call: Call,
        body: Json | None = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Iterable[tuple[str, str]] = (),
    ) -> Json:
        """The JSON object that HubSpot answers, {} for a 2xx with nothing; else a CrmError."""
        self._pace.wait(call.limit)
        answer = self._answer(call, body, dict(path or {}), list(query))
        if not answer.body:
            return {}
        found = parsed(answer.body)
        if not found:
            raise unanswered(call, "the answer was not JSON")
        return found

    def _answer(
        self, call: Call, body: Json | None, path: dict[str, str], query: list[tuple[str, str]]
    ) -> Answer:
        try:
            answer: Answer = self._api.call_api(
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
        except NotGood as refusal:
            raise self._refusal(call, refusal.answer) from None
        except NoAnswer as silence:
            logger.warning("%s %s: %s", call.method, call.path, silence)
            raise _silence(call, silence) from None
        self._pace.learn(answer.headers)
        return answer

    def _refusal(self, call: Call, answer: Answer) -> CrmError:
        error = error_of(call, answer)
        correlation = bounded(parsed(answer.body).get("correlationId") or "-", 50)
        logger.warning(
            "%s %s answered %s, correlation %s", call.method, call.path, answer.status, correlation
        )
        self._pace.learn(answer.headers)
        if answer.status == 429 and isinstance(error, CrmBusy):
            self._pace.hold(call.limit, error.retry_after)
        return error


def _silence(call: Call, silence: NoAnswer) -> CrmError:
    """What never left us was certainly not done."""
    if not silence.sent:
        return CrmBusy(f"HubSpot is away when asked to {call.purpose}: {silence}.")
    return unanswered(call, str(silence))
