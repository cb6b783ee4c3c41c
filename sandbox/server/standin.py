"""A stand-in as a server: API, control and pages of one CRM behind one address."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import uuid4

from . import control, pages
from .desk import Desk
from .faults import Fault
from .http import Answer, Request, Server, as_json
from .journal import Line
from .moments import iso
from .state import State
from .trouble import Trouble

GARBAGE = "<html><body>upstream said something</body></html>"


class Outcome(NamedTuple):
    """What was done, and what the client gets to see of it. None: nothing."""

    done: Answer | None
    shown: Answer | None


class Standin(ABC):
    """To start and stop: `with Sandbox(token="t") as crm: crm.url`.

    A CRM's own stand-in says what is abstract here, and keeps its account in `state`.
    """

    crm: str  # its name, for people
    trouble: Trouble
    state: State[Any, Any]

    def __init__(self, state: State[Any, Any], host: str, port: int, file: Path | None) -> None:
        self._file = file
        self.host = host
        self.state = state
        self._server = Server(host, port, self.answer)
        state.url = self.url = f"http://{_named(host)}:{self._server.server_port}"
        self._thread: Thread | None = None

    @abstractmethod
    def is_api(self, path: str) -> bool: ...

    @abstractmethod
    def work(self, request: Request, spoilt: Any) -> Answer:
        """Carry an API request out, or refuse it. `spoilt`: how some inputs of a batch fail."""

    @abstractmethod
    def token(self, request: Request) -> str:
        """The credential of a request, "" without one."""

    @abstractmethod
    def desk(self, request: Request) -> Desk:
        """The account as the pages show and change it."""

    def start(self) -> Self:
        """Serve in a thread of its own."""
        self._thread = Thread(target=self._server.serve_forever, args=[0.05], daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End at once, open connections too; what there is goes to the file."""
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.state.webhooks.stop()
        self._server.hang_up()
        if self._file:
            with self.state.lock:
                save(self.state.store.dump(), self._file)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def reset(self) -> None:
        """Be as on the first day, within a millisecond; whoever is connected is cut off."""
        self._server.hang_up()
        self.state.reset()

    def answer(self, request: Request) -> Answer | None:
        if self.is_api(request.path):
            return self._api(request)
        if request.path.startswith("/sandbox/"):
            return control.answer(self, request)
        return pages.answer(self, request)

    def _api(self, request: Request) -> Answer | None:
        """An API request's answer; None is a connection that ends without one."""
        state = self.state
        with state.lock:
            over = state.over
            fault = state.faults.strike(request.method, request.asked_path, request.body)
        if fault and fault.waits and over.wait(fault.seconds):
            return None
        with state.lock:
            if over.is_set():  # reset meanwhile: nothing of the old state gets into the new
                return None
            outcome = self._outcome(request, fault)
            self._note(request, outcome, fault)
        return outcome.shown

    def _outcome(self, request: Request, fault: Fault | None) -> Outcome:
        if fault is None:
            done = self.work(request, None)
            return Outcome(done, done)
        if fault.is_before:
            return Outcome(None, _written(fault, fault.status) if fault.kind == "status" else None)
        done = self.work(request, fault.body if fault.kind == "partial" else None)
        return Outcome(done, _shown(fault, done))

    def _note(self, request: Request, outcome: Outcome, fault: Fault | None) -> None:
        done, shown = outcome
        line = Line(
            method=request.method,
            path=request.asked_path,
            status=shown.status_code if shown else None,
            done=done.status_code if done else None,
            fault=fault.called if fault else None,
            at=request.at,
            token=self.token(request),
            made=done.made if done else (),
        )
        entry = {name: getattr(line, name) for name in ("method", "path", "status", "fault")}
        self.state.log.append(entry | {"at": iso(request.at)})
        self.state.journal.add(line)


def _named(host: str) -> str:
    return "127.0.0.1" if host in ("", "0.0.0.0") else host  # noqa: S104 - compared, not bound


def _shown(fault: Fault, done: Answer) -> Answer | None:
    match fault.kind:
        case "drop_after":
            return None
        case "status_after":
            return _written(fault, fault.status)
        case "garbage":
            return _written(fault, done.status_code)
        case "dripping":
            done.drip(fault.seconds)
    return done


def _written(fault: Fault, status: int) -> Answer:
    """The fault's own answer; text is sent as it is, anything else as JSON."""
    if fault.body is not None and not isinstance(fault.body, str):
        return as_json(status, _fresh(fault.body), fault.headers)
    text = fault.body if fault.body is not None else GARBAGE
    return Answer(text, status, {"Content-Type": "text/html"} | fault.headers)


def _fresh(body: Any) -> Any:
    """Each answer has a correlation id of its own."""
    if isinstance(body, dict) and "correlationId" in body:
        return body | {"correlationId": str(uuid4())}
    return body


def save(account: dict[str, Any], file: Path) -> None:
    """Write beside and move into place, so that a crash leaves the old file whole."""
    beside = file.with_name(file.name + ".new")
    beside.write_text(json.dumps(account, indent=1))
    beside.replace(file)
