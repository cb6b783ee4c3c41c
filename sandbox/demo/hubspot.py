"""HubSpot in the story, asked through its API as any other program would."""

import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.demo.sales import SalesTask, ask, bearer

PROPERTIES = "hs_task_subject,hs_task_body,hubspot_owner_id"
DEAL_TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}


class SalesSide:
    module = "sandbox.hubspot"

    @staticmethod
    def settings(address: str) -> Mapping[str, str]:
        return {
            "HUBSPOT_ACCESS_TOKEN": f"demo-{secrets.token_hex(8)}",
            "HUBSPOT_BASE_URL": address,
            "HUBSPOT_API_VERSION": "",
            "HUBSPOT_CLIENT_SECRET": secrets.token_hex(18),
            "HUBSPOT_REQUESTS_PER_10S": "100",
        }

    @staticmethod
    def options(environment: Mapping[str, str]) -> tuple[str, ...]:
        return ("--token", environment["HUBSPOT_ACCESS_TOKEN"])

    def __init__(self, address: str, environment: Mapping[str, str]) -> None:
        self.address = address
        self.headers = bearer(environment["HUBSPOT_ACCESS_TOKEN"])

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        return ask(f"{self.address}/crm/v3/{path}", self.headers, body, method)

    def tasks(self) -> list[SalesTask]:
        rows, after = [], ""
        while True:
            page = self.ask(f"objects/tasks?limit=100&properties={PROPERTIES}{after}")
            for task in page["results"]:
                of = task["properties"]
                subject, body, owner = (of[name] for name in PROPERTIES.split(","))
                rows.append(SalesTask(task["id"], subject, body, owner))
            if "paging" not in page:
                return rows
            after = f"&after={page['paging']['next']['after']}"

    def owner(self, owner_id: str) -> str:
        found = self.ask(f"owners/{owner_id}")
        return f"{found['firstName']} {found['lastName']}"

    def negotiate(self, record_id: str, name: str, amount: str) -> str:
        properties = {
            "dealname": name,
            "pipeline": "default",
            "dealstage": "contractsent",
            "amount": amount,
        }
        contact = {"to": {"id": record_id}, "types": [DEAL_TO_CONTACT]}
        deal = self.ask("objects/deals", {"properties": properties, "associations": [contact]})
        return str(deal["id"])

    def win(self, deal_id: str) -> None:
        self.ask(f"objects/deals/{deal_id}", {"properties": {"dealstage": "closedwon"}}, "PATCH")
