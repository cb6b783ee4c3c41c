"""The product as another program has it: commands, HTTP, mail, and HubSpot's side of it.

Nothing here imports the product, except to start its processes.
"""

import base64
import hmac
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from leadscoring import devservers
from sandbox.demo.stage import CHECKOUT, Stage, arrange, running

TASK_TO_CONTACT, DEAL_TO_CONTACT = 204, 3
PATIENCE = 60.0


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Outside:
    stage: Stage
    key: str = ""

    # --- commands -----------------------------------------------------------------------------
    def run(self, *arguments: str, **settings: str) -> Done:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT, env={**self.stage.environment, **settings},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str, **settings: str) -> tuple[int, Any]:
        """The exit code and the document of a command with --json."""
        done = self.run(*arguments, "--json", **settings)
        assert done.out, f"{arguments} said nothing: {done.err}"
        return done.code, done.document

    # --- HTTP ---------------------------------------------------------------------------------
    def api(self, method: str, path: str, body: object = None, key: str | None = None) -> Answer:
        """A call of the API with our key, or with another; bytes are sent as they are."""
        headers = {"Content-Type": "application/json"}
        if self.key if key is None else key:
            headers["Authorization"] = f"Bearer {self.key if key is None else key}"
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return ask(method, f"{self.stage.web}/api/v1/{path}", raw, headers)

    def get(self, path: str) -> Any:
        answer = self.api("GET", path)
        assert answer.status == 200, answer.text
        return answer.body

    def post(self, path: str, body: object) -> Any:
        answer = self.api("POST", path, body)
        assert answer.status == 200, answer.text
        return answer.body

    def page(self, path: str) -> Answer:
        return ask("GET", self.stage.web + path)

    def contact(self, who: str | int) -> Any:
        return self.get(f"contacts/{who}")

    def act(self, email: str, kind: str, **more: object) -> None:
        self.post("activities", {"email": email, "type": kind, **more})

    def settled(self, email: str, count: int = 1) -> Any:
        """The newest handoff of a contact, as soon as `count` of them wait no more."""

        def look() -> Any:
            rows = self.contact(email)["handoffs"]
            done = len(rows) >= count and all(row["status"] != "waiting" for row in rows)
            return rows[0] if done else None

        return until(look)

    # --- HubSpot ------------------------------------------------------------------------------
    def hubspot(self, method: str, path: str, body: object = None) -> Any:
        headers = {
            "Authorization": f"Bearer {self.stage.environment['HUBSPOT_ACCESS_TOKEN']}",
            "Content-Type": "application/json",
        }
        raw = None if body is None else json.dumps(body).encode()
        answer = ask(method, self.stage.crm + path, raw, headers)
        return answer.body if answer.status < 300 else answer

    def made(self, kind: str, *links: dict[str, Any], **properties: str) -> str:
        """A new object in HubSpot, by its id."""
        body = {"properties": properties, "associations": list(links)}
        made = self.hubspot("POST", f"/crm/v3/objects/{kind}", body)
        return str(made["id"])

    def deal(self, record_id: str, stage: str, name: str) -> str:
        """A deal of a contact, made by a rep."""
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": DEAL_TO_CONTACT}
        link = {"to": {"id": record_id}, "types": [kind]}
        return self.made("deals", link, dealname=name, pipeline="default", dealstage=stage)

    def changed(self, kind: str, id_: str, **properties: str) -> None:
        """What a rep does to an object."""
        body = {"properties": properties}
        assert self.hubspot("PATCH", f"/crm/v3/objects/{kind}/{id_}", body)["id"] == id_

    def properties(self, kind: str, id_: str, *names: str) -> dict[str, Any]:
        found = self.hubspot("GET", f"/crm/v3/objects/{kind}/{id_}?properties={','.join(names)}")
        return {name: found["properties"].get(name) for name in names}

    def linked(self, kind: str, id_: str, other: str) -> list[dict[str, Any]]:
        """The associations of one object."""
        path = f"/crm/v4/associations/{kind}/{other}/batch/read"
        results = self.hubspot("POST", path, {"inputs": [{"id": id_}]})["results"]
        return [link for result in results for link in result["to"]]

    def send_webhooks(self, to: str | None = None) -> None:
        """HubSpot's app is told where webhooks go; "" ends them."""
        address = f"{self.stage.web}/webhooks/hubspot" if to is None else to
        secret = self.stage.environment["HUBSPOT_CLIENT_SECRET"]
        dials = {"webhook_url": address, "webhook_secret": secret, "webhook_backoff": 0.2}
        self.hubspot("POST", "/sandbox/settings", dials)

    def webhook(self, body: bytes, secret: str = "", seconds_ago: float = 0) -> int:
        """The status of a request that is signed as HubSpot signs."""
        address = f"{self.stage.web}/webhooks/hubspot"
        stamp = str(int((time.time() - seconds_ago) * 1000))
        key = (secret or self.stage.environment["HUBSPOT_CLIENT_SECRET"]).encode()
        text = f"POST{address}".encode() + body + stamp.encode()
        signed = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
        headers = {"X-HubSpot-Signature-v3": signed, "X-HubSpot-Request-Timestamp": stamp}
        return ask("POST", address, body, headers).status

    # --- mail ---------------------------------------------------------------------------------
    def mails(self, to: str) -> list[EmailMessage]:
        """The mails that arrived at an address, the oldest first."""
        arrived = sorted((self.stage.mails / "new").glob("*"))
        read = BytesParser(policy=policy.default)
        found = [read.parsebytes(each.read_bytes()) for each in arrived]
        return [mail for mail in found if isinstance(mail, EmailMessage) and mail["To"] == to]


def ask(
    method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    request = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as given:
            return Answer(given.status, dict(given.headers), given.read().decode(errors="replace"))
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, dict(refused.headers), refused.read().decode())


def until(look: Callable[[], Any]) -> Any:
    """What a look answers as soon as it is something. A bound, not a measure."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if seen := look():
            return seen
        threading.Event().wait(0.1)
    raise AssertionError("It did not happen.")


@contextmanager
def everything(folder: Path) -> Iterator[Outside]:
    """All processes of the product in a private place, and a key to its API."""
    with ExitStack() as stack:
        stage = arrange(folder, stack.enter_context(devservers.run_servers()))
        stack.enter_context(running(stage))
        made = Outside(stage).run("create_api_key", "the-contract")
        yield Outside(stage, made.out.strip())
