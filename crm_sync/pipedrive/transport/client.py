"""Make the requests of `calls.py` over HTTP, within the shared limits.

A call ends within the time limit of its transport and raises the port's errors alone. It is repeated
here only when it was refused for the rate of requests, and only for callers that have time.
"""

import json
import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from crm_sync.pipedrive.transport.calls import V2, PipedriveCall
from crm_sync.pipedrive.transport.errors import error_of_answer, silent_or_busy
from crm_sync.pipedrive.transport.rate_limit import TokenLimiter
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

CONNECT_SECONDS, READ_SECONDS = 3.05, 10.0

Json = dict[str, Any]
Query = Iterable[tuple[str, str]]


class PipedriveHttp:
    """Send one request with the token in a header, where it reaches no log. Belongs to one process."""

    def __init__(self, token: str, base_url: str, seconds: float = TOTAL_SECONDS) -> None:
        # Imported with the adapter, not with the process: connections do not survive a fork.
        from urllib3 import Timeout

        self._token = token
        self._base_url = base_url.rstrip("/")
        self._transport = HttpTransport(seconds)
        self._timeout = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)

    def send(self, method: str, path: str, body: Json | None) -> RawAnswer:
        """Return a 2xx answer; raise HttpError or NoHttpAnswer for all else."""
        if not (self._token.isascii() and self._token.isprintable()):
            # http.client would refuse the header with an error that shows the token.
            raise CrmDenied("PIPEDRIVE_API_TOKEN has signs in it that no token has.")
        headers = {"x-api-token": self._token, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self._transport.request(
            method,
            self._base_url + path,
            headers=headers,
            body=None if body is None else json.dumps(body).encode(),
            timeout=self._timeout,
        )


class PipedriveClient:
    """`priority`: of its calls in the shared budget.

    `patient_until`: the reading of time.monotonic() up to which a call that was refused for the rate
    is asked again.
    """

    def __init__(
        self,
        http: PipedriveHttp,
        limiter: TokenLimiter,
        priority: Priority = "live",
        patient_until: float = 0.0,
    ) -> None:
        self._http = http
        self.limiter = limiter
        self._priority: Priority = priority
        self._patient_until = patient_until

    def with_priority(self, priority: Priority, until: float = 0.0) -> "PipedriveClient":
        return PipedriveClient(self._http, self.limiter, priority, until)

    def room(self) -> float:
        """Return the seconds until an ordinary call would be admitted."""
        return self.limiter.room(self._priority)

    def ask(
        self,
        call: PipedriveCall,
        body: Json | None = None,
        *,
        record_id: str = "",
        query: Query = (),
        until: float | None = None,
    ) -> Json:
        """Return the answer's JSON object, whose `success` is true; raise CrmError otherwise.

        `record_id`: fills the path. `until`: the reading of time.monotonic() after which the call is
        not made any more (CrmBusy).
        """
        path = call.path.replace("{id}", quote(record_id, safe=""))
        asked = urlencode(list(query))
        whole = f"{path}?{asked}" if asked else path
        return ask_patiently(
            lambda: self._ask_once(call, whole, body, until),
            self._patient_until,
            repeatable=call.retry,
        )

    def _ask_once(
        self, call: PipedriveCall, path: str, body: Json | None, until: float | None
    ) -> Json:
        self.limiter.wait(call, self._priority)
        check_in_time(call.purpose, until)
        try:
            answer = self._http.send(call.method, path, body)
        except HttpError as refused:
            raise self._refusal(call, refused.answer) from None
        except NoHttpAnswer as silence:
            logger.warning("%s %s: %s", call.method, call.path, silence)
            if not silence.sent:
                away = f"Pipedrive is away when asked to {call.purpose}: {silence}."
                raise CrmBusy(away) from None
            raise silent_or_busy(call, str(silence)) from None
        self.limiter.learn(call, answer.headers)
        self.limiter.forgive()
        found = parse_body(answer.body)
        if not _is_answer(call, found):
            raise silent_or_busy(call, "the answer was not JSON that says success")
        return found

    def _refusal(self, call: PipedriveCall, answer: RawAnswer) -> CrmError:
        error = error_of_answer(call, answer)
        code = bounded_line(parse_body(answer.body).get("code") or "-", 50)
        logger.warning("%s %s answered %s, code %s", call.method, call.path, answer.status, code)
        self.limiter.learn(call, answer.headers)
        self.limiter.obey(error, call)
        return error


def _is_answer(call: PipedriveCall, found: Json) -> bool:
    """Return whether a 200 is one: it may say that it is not, or hold no data. An empty list of v1 is null.

    To believe such a one would be to make a task a second time. docs/pipedrive-facts.md#error-body
    """
    has_data = isinstance(found.get("data"), list | dict)
    return found.get("success") is True and (has_data or not call.path.startswith(V2))
