"""Salesforce in the story: asked through its API as any other program would, and worked with on its pages as a rep.

The integration user, whose log-in we have, may read deals and not write them.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from sandbox.demo.sales import SalesTask, ask, bearer

DATA = "services/data/v67.0"
NEGOTIATION, WON = "Negotiation/Review", "Closed Won"


class SalesSide:
    module = "sandbox.salesforce"

    @staticmethod
    def settings(address: str) -> Mapping[str, str]:
        return {
            "SALESFORCE_LOGIN_URL": address,
            "SALESFORCE_CLIENT_ID": secrets.token_hex(20),
            "SALESFORCE_CLIENT_SECRET": secrets.token_hex(20),
            "SALESFORCE_API_VERSION": "",
        }

    @staticmethod
    def options(environment: Mapping[str, str]) -> tuple[str, ...]:
        names = {
            "--client-id": "SALESFORCE_CLIENT_ID",
            "--client-secret": "SALESFORCE_CLIENT_SECRET",
        }
        return tuple(part for option, name in names.items() for part in (option, environment[name]))

    def __init__(self, address: str, environment: Mapping[str, str]) -> None:
        self.address = address
        self.client = {
            "grant_type": "client_credentials",
            "client_id": environment["SALESFORCE_CLIENT_ID"],
            "client_secret": environment["SALESFORCE_CLIENT_SECRET"],
        }
        self.headers: Mapping[str, str] = {}

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        self.headers = self.headers or bearer(self._log_in())
        return ask(f"{self.address}/{path}", self.headers, body, method)

    def tasks(self) -> list[SalesTask]:
        found = self._rows("SELECT Id, Subject, Description, OwnerId FROM Task ORDER BY Id")
        return [
            SalesTask(row["Id"], row["Subject"], row["Description"] or "", row["OwnerId"])
            for row in found
        ]

    def owner(self, owner_id: str) -> str:
        query = f"SELECT Name FROM User WHERE Id = '{owner_id}'"  # noqa: S608 - an id that Salesforce told
        return str(self._rows(query)[0]["Name"])

    def negotiate(self, record_id: str, name: str, amount: str) -> str:
        deal = {"Name": name, "Amount": amount, "StageName": NEGOTIATION}
        self._post(f"contacts/{record_id}/deals", deal)
        found = self._rows("SELECT Id, Name FROM Opportunity ORDER BY Id DESC")
        return str(next(row["Id"] for row in found if row["Name"] == name))

    def win(self, deal_id: str) -> None:
        self._post(f"deals/{deal_id}", {"StageName": WON})

    def _rows(self, query: str) -> list[Any]:
        page = self.ask(f"{DATA}/query?q={quote(query)}")
        rows = list(page["records"])
        while not page["done"]:
            page = self.ask(page["nextRecordsUrl"].lstrip("/"))
            rows += page["records"]
        return rows

    def _log_in(self) -> str:
        answer = self._post("services/oauth2/token", self.client)
        return str(answer["access_token"])

    def _post(self, path: str, form: Mapping[str, str]) -> Any:
        """Send a form, as a browser does."""
        request = Request(f"{self.address}/{path}", urlencode(form).encode(), method="POST")  # noqa: S310 - a loopback address
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            is_json = answer.headers.get_content_type() == "application/json"
            return json.loads(answer.read()) if is_json else None
