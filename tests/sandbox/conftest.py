"""A running stand-in, and a client that speaks plain HTTP to it."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page

from sandbox.hubspot.server import Sandbox

TOKEN = "test-token"
KIM, ANA, TOM_ARCHIVED = "712340001", "712340002", "712340004"
TO_CONTACT, TO_DEAL, DEAL_TO_CONTACT = 204, 216, 3


class Hub:
    """Requests to a stand-in with its token; answers as `requests` gives them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.url = sandbox, sandbox.url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {TOKEN}"

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=10)

    def get(self, path: str) -> requests.Response:
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.ask("POST", path, body)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.ask("PATCH", path, body)

    def contact(self, email: str = "ada@lead.example", **properties: str) -> str:
        sent = {"email": email} | properties
        return self._made("contacts", {"properties": sent})

    def task(self, contact: str = "", **properties: str) -> str:
        sent = {"hs_timestamp": "1790000000000", "hs_task_subject": "Call"} | properties
        links = [link(contact, TO_CONTACT)] if contact else []
        return self._made("tasks", {"properties": sent, "associations": links})

    def deal(self, contact: str = "", **properties: str) -> str:
        sent = {"dealname": "Plan", "dealstage": "appointmentscheduled"} | properties
        links = [link(contact, DEAL_TO_CONTACT)] if contact else []
        return self._made("deals", {"properties": sent, "associations": links})

    def company(self, name: str, **properties: str) -> str:
        return self._made("companies", {"properties": {"name": name} | properties})

    def _made(self, kind: str, body: Any) -> str:
        answer = self.post(f"/crm/v3/objects/{kind}", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def properties(self, kind: str, id_: str, *names: str) -> dict[str, str | None]:
        asked = f"?properties={','.join(names)}" if names else ""
        found = self.get(f"/crm/v3/objects/{kind}/{id_}{asked}").json()["properties"]
        return dict(found)

    def trouble(self, name: str, **more: Any) -> None:
        answer = self.post("/sandbox/faults", {"name": name} | more)
        assert answer.status_code == 200, answer.text

    def mend(self, name: str = "") -> None:
        """End what goes by that name, or everything."""
        assert self.ask("DELETE", f"/sandbox/faults?name={name}").status_code == 200

    def define(self, kind: str, name: str, **more: Any) -> requests.Response:
        groups = {
            "contacts": "contactinformation",
            "companies": "companyinformation",
            "tasks": "task",
            "deals": "dealinformation",
        }
        made = {"name": name, "label": name, "type": "string", "fieldType": "text"}
        return self.post(f"/crm/v3/properties/{kind}", made | {"groupName": groups[kind]} | more)


class Tags(HTMLParser):
    """The start tags of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def link(to: str, type_id: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
    return {"to": {"id": to}, "types": types}


def refused(answer: requests.Response) -> list[str]:
    """The error codes of a refused write, out of the JSON inside its message."""
    assert answer.status_code == 400, answer.text
    return [fault["error"] for fault in listed(answer.json()["message"])]


def listed(message: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(message.partition(": ")[2])
    return found


@pytest.fixture(scope="session")
def standin() -> Iterator[Sandbox]:
    with Sandbox(TOKEN, rate=0) as running:
        yield running


@pytest.fixture
def sandbox(standin: Sandbox) -> Sandbox:
    standin.reset()
    return standin


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    hub = Hub(sandbox)
    with hub.session:
        yield hub


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which no script fails."""
    errors: list[str] = []
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert errors == []
