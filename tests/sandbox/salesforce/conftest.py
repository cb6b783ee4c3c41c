"""A running stand-in of Salesforce, and a client that speaks plain HTTP to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.salesforce.server import Sandbox

CLIENT_ID, CLIENT_SECRET = "test-key", "test-secret"
LOGIN = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
DATA = "/services/data/v67.0"
SOBJECTS, COLLECTION = f"{DATA}/sobjects", f"{DATA}/composite/sobjects"
QUIET = {"Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true"}
REFERENCE = {"label": "Reference", "type": "Text", "length": 40, "externalId": True, "unique": True,
             "caseSensitive": True}  # fmt: skip


class Org:
    """Requests to a stand-in; answers as `requests` gives them. Writes have the headers that they need."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.url, self.people = sandbox, sandbox.url, sandbox.people
        self.session = requests.Session()
        self.session.headers.update(QUIET)
        self.log_in()

    def log_in(self, **more: str) -> requests.Response:
        answer = self.session.post(
            f"{self.url}/services/oauth2/token", data=LOGIN | more, timeout=10
        )
        if answer.ok:
            self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.request(method, self.url + path, json=body, headers=named, timeout=10)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        return self.ask("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> requests.Response:
        return self.ask("PATCH", path, body, **headers)

    def asked(self, soql: str, path: str = "query", **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.get(
            f"{self.url}{DATA}/{path}", params={"q": soql}, headers=named, timeout=10
        )

    def query(self, soql: str, path: str = "query") -> list[dict[str, Any]]:
        answer = self.asked(soql, path)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["records"]
        return rows

    def rows(self, method: str, *rows: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
        answer = self.ask(method, COLLECTION, {"records": list(rows)}, **headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def make(self, kind: str, **values: Any) -> str:
        answer = self.post(f"{SOBJECTS}/{kind}", values)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def lead(self, name: str = "Ada", **values: Any) -> str:
        first = {"LastName": name, "Company": "Acme", "Email": f"{name.lower()}@lead.example"}
        return self.make("Lead", **first | values)

    def contact(self, name: str = "Ada", **values: Any) -> str:
        first = {"LastName": name, "Email": f"{name.lower()}@lead.example"}
        return self.make("Contact", **first | values)

    def task(self, who: str, **values: Any) -> str:
        return self.make("Task", **{"WhoId": who, "Subject": "Call"} | values)

    def field(self, name: str, metadata: dict[str, Any], *, seen: bool = True) -> requests.Response:
        """Make a custom field, and let everybody with the integration's permission set see it."""
        body = {"FullName": name, "Metadata": metadata}
        answer = self.post(f"{DATA}/tooling/sobjects/CustomField", body)
        if seen and answer.ok:
            holder = name.replace("Activity.", "Task.")
            (granted,) = self.query(
                "SELECT Id FROM PermissionSet WHERE Name = 'Marketing_integration'"
            )
            self.make("FieldPermissions", ParentId=granted["Id"], SobjectType=holder.partition(".")[0],
                      Field=holder, PermissionsRead=True, PermissionsEdit=True)  # fmt: skip
        return answer

    def turn(self, name: str, target: str = "") -> None:
        answer = self.post("/sandbox/faults", {"name": name, "target": target})
        assert answer.status_code == 200, answer.text

    def trouble(self, name: str, **more: Any) -> None:
        answer = self.post("/sandbox/faults", {"name": name} | more)
        assert answer.status_code == 200, answer.text

    def stamp(self, id_: str) -> str:
        kind = self.sandbox.store.objects_of(id_)[0]
        (row,) = self.query(f"SELECT SystemModstamp FROM {kind} WHERE Id = '{id_}'")
        return str(row["SystemModstamp"])

    def later(self) -> None:
        """Times are whole seconds: let what follows be in another one."""
        self.sandbox.settings.clock_ahead += 1


def typed(kind: str, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind}, **values}


def codes(rows: list[dict[str, Any]]) -> list[str]:
    """What each row of a collection came to: ok, or the code of its error."""
    return ["ok" if each["success"] else each["errors"][0]["statusCode"] for each in rows]


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a refused request."""
    return answer.status_code, answer.json()[0]["errorCode"]


@pytest.fixture(scope="session")
def running_org() -> Iterator[Sandbox]:
    with Sandbox(CLIENT_ID, CLIENT_SECRET) as running:
        yield running


@pytest.fixture
def org(running_org: Sandbox) -> Iterator[Org]:
    running_org.reset()
    org = Org(running_org)
    with org.session:
        yield org
