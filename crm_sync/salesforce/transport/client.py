"""Make the requests of `calls.py`: within the org's limits, with the session of all processes.

A call ends within the time limit of its transport and raises the port's errors alone. It is repeated
here when the session had ended, and for callers that have time when the org was busy.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from crm_sync.port import CrmBusy, CrmError, Priority
from crm_sync.salesforce.transport.calls import SalesforceCall
from crm_sync.salesforce.transport.errors import error_from_answer, silence_error
from crm_sync.salesforce.transport.rate_limit import SalesforceLimiter
from crm_sync.salesforce.transport.session import TIMEOUT, SalesforceSession, SessionKeeper
from crm_sync.transport.http import HttpError, HttpTransport, NoHttpAnswer, RawAnswer
from crm_sync.transport.json_body import parse_json
from crm_sync.transport.patience import ask_patiently, check_in_time

logger = logging.getLogger(__name__)

ALWAYS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Content-Type": "application/json",
}
# docs/salesforce-facts.md#assignment-rules, docs/salesforce-facts.md#duplicate-rules
WRITING = {
    "Sforce-Auto-Assign": "FALSE",
    "Sforce-Duplicate-Rule-Header": "allowSave=true",
}

Json = dict[str, Any]


class SalesforceClient:
    """`version`: of the API. `priority`: of its calls in the shared budget.

    `patient_until`: the reading of time.monotonic() up to which a call that was refused because the
    org is busy is asked again.
    """

    def __init__(
        self,
        http: HttpTransport,
        sessions: SessionKeeper,
        limiter: SalesforceLimiter,
        version: str,
        priority: Priority = "live",
        patient_until: float = 0.0,
    ) -> None:
        self._http = http
        self.sessions = sessions
        self.limiter = limiter
        self.version = version
        self._priority: Priority = priority
        self._patient_until = patient_until

    def with_priority(self, priority: Priority, until: float = 0.0) -> "SalesforceClient":
        return SalesforceClient(
            self._http, self.sessions, self.limiter, self.version, priority, until
        )

    def room(self) -> float:
        """Return the seconds until a call would be admitted."""
        return self.limiter.room(self._priority)

    def ask(
        self,
        call: SalesforceCall,
        body: Json | None = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Iterable[tuple[str, str]] = (),
        until: float | None = None,
    ) -> Any:
        """Return the JSON value of the answer, of the type that the call names; raise CrmError otherwise.

        `until`: the reading of time.monotonic() after which the call is not made any more (CrmBusy).
        """
        where = _filled(call.path, {"version": self.version, **(path or {})})
        parameters = list(query)
        where += f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
        return ask_patiently(
            lambda: self._ask_once(call, body, where, until),
            self._patient_until,
            repeatable=call.retry,
        )

    def _ask_once(
        self, call: SalesforceCall, body: Json | None, where: str, until: float | None
    ) -> Any:
        self.limiter.wait(self._priority)
        session = self.sessions.current()
        try:
            answer = self._answer(call, body, where, session, until)
        except HttpError as ended:
            if ended.answer.status != 401:
                raise self._refusal(call, ended.answer) from None
            # Not carried out, whatever it was. docs/salesforce-facts.md#session-life
            session = self.sessions.renewed(session)
            try:
                answer = self._answer(call, body, where, session, until)
            except HttpError as refusal:
                raise self._refusal(call, refusal.answer) from None
        self.limiter.learn(answer.headers)
        found = parse_json(answer.body)
        if not isinstance(found, list if call.answer == "list" else dict):
            raise silence_error(call, "the answer was not what such a call answers")
        return found

    def _answer(
        self,
        call: SalesforceCall,
        body: Json | None,
        where: str,
        session: SalesforceSession,
        until: float | None,
    ) -> RawAnswer:
        check_in_time(call.purpose, until)
        headers = ALWAYS | (WRITING if call.writes else {})
        try:
            return self._http.request(
                call.method,
                session.instance_url + where,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers | {"Authorization": f"Bearer {session.token}"},
                timeout=TIMEOUT,
            )
        except NoHttpAnswer as silence:
            logger.warning("%s %s: %s", call.method, call.path, silence)
            raise _unanswered(call, silence) from None

    def _refusal(self, call: SalesforceCall, answer: RawAnswer) -> CrmError:
        error = error_from_answer(call, answer)
        logger.warning(
            "%s %s answered %s (%s)", call.method, call.path, answer.status, type(error).__name__
        )
        self.limiter.learn(answer.headers)
        self.limiter.obey(error)
        return error


def _filled(path: str, values: Mapping[str, str]) -> str:
    """Return a path with its parts filled in; a value never becomes more than one part."""
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def _unanswered(call: SalesforceCall, silence: NoHttpAnswer) -> CrmError:
    """Return the error for a call without an answer. What was never sent was certainly not done."""
    if not silence.sent:
        return CrmBusy(f"Salesforce is away when asked to {call.purpose}: {silence}.")
    return silence_error(call, str(silence))
