"""A running stand-in of Pipedrive, and a client that speaks plain HTTP to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.pipedrive.server import Sandbox

TOKEN = "test-token"


class Pipe:
    """Requests to a stand-in with its token; answers as `requests` gives them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.url = sandbox, sandbox.url
        self.session = requests.Session()
        self.session.headers["x-api-token"] = TOKEN

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        path = f"/api{path}" if path.startswith("/v2") else path
        return self.session.request(method, self.url + path, json=body, timeout=10)

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """The data of an answer that is a success."""
        answer = self.ask(method, path, body)
        assert answer.status_code in (200, 201), answer.text
        assert answer.json()["success"] is True
        return answer.json()["data"]

    def refused(self, method: str, path: str, body: Any = None, status: int = 400) -> str:
        answer = self.ask(method, path, body)
        assert answer.status_code == status, answer.text
        assert answer.json()["success"] is False
        return answer.json()["error"]

    def get(self, path: str) -> Any:
        return self.done("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.done("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self.done("PATCH", path, body)

    def person(self, email: str = "ada@lead.example", **values: Any) -> int:
        sent = {"name": "Ada Lind", "emails": [{"value": email}]} | values
        return self.post("/v2/persons", sent)["id"]

    def task(self, *person_ids: int, **values: Any) -> int:
        rows = [{"person_id": id_, "primary": place == 0} for place, id_ in enumerate(person_ids)]
        sent = {"subject": "Call", "type": "task", "participants": rows} | values
        return self.post("/v2/activities", sent)["id"]

    def deal(self, **values: Any) -> int:
        return self.post("/v2/deals", {"title": "Plan"} | values)["id"]

    def field(self, name: str = "Score", kind: str = "double", *options: str) -> str:
        more = {"options": [{"label": each} for each in options]} if options else {}
        sent = {"field_name": name, "field_type": kind, **more}
        return self.post("/v2/personFields", sent)["field_code"]

    def found(self, term: str, **query: str) -> list[int]:
        """Ids of persons that the search index has by an address."""
        asked = {"term": term, "fields": "email", "exact_match": "true"} | query
        path = f"/v2/persons/search?{requests.compat.urlencode(asked)}"  # type: ignore[attr-defined]
        return [each["item"]["id"] for each in self.get(path)["items"]]

    def turn(self, **dials: Any) -> None:
        assert self.ask("POST", "/sandbox/settings", dials).status_code == 200

    def trouble(self, name: str, **more: Any) -> None:
        answer = self.ask("POST", "/sandbox/faults", {"name": name} | more)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="session")
def standin() -> Iterator[Sandbox]:
    with Sandbox(TOKEN, rate=0) as running:
        yield running


@pytest.fixture
def sandbox(standin: Sandbox) -> Sandbox:
    standin.reset()
    standin.settings.search_lag = 0.0
    return standin


@pytest.fixture
def pipe(sandbox: Sandbox) -> Iterator[Pipe]:
    made = Pipe(sandbox)
    with made.session:
        yield made
