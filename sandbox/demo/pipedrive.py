"""Pipedrive in the story, asked through its API as any other program would."""

import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.demo.sales import SalesTask, ask

# Of the pipeline that a new account has: where its probability says that there is a negotiation.
NEGOTIATIONS_STARTED = 15


class SalesSide:
    module = "sandbox.pipedrive"

    @staticmethod
    def settings(address: str) -> Mapping[str, str]:
        return {
            "PIPEDRIVE_API_TOKEN": secrets.token_hex(20),
            "PIPEDRIVE_BASE_URL": address,
            "PIPEDRIVE_WEBHOOK_PASSWORD": secrets.token_hex(18),
        }

    @staticmethod
    def options(environment: Mapping[str, str]) -> tuple[str, ...]:
        return ("--token", environment["PIPEDRIVE_API_TOKEN"])

    def __init__(self, address: str, environment: Mapping[str, str]) -> None:
        self.address = address
        self.headers = {"x-api-token": environment["PIPEDRIVE_API_TOKEN"]}

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        return ask(f"{self.address}/{path}", self.headers, body, method)

    def tasks(self) -> list[SalesTask]:
        rows, after = [], ""
        while True:
            page = self.ask(f"api/v2/activities?limit=500{after}")
            rows += [
                SalesTask(
                    str(task["id"]), task["subject"], task["note"] or "", str(task["owner_id"])
                )
                for task in page["data"]
            ]
            cursor = page["additional_data"]["next_cursor"]
            if cursor is None:
                return rows
            after = f"&cursor={cursor}"

    def owner(self, owner_id: str) -> str:
        return str(self.ask(f"v1/users/{owner_id}")["data"]["name"])

    def negotiate(self, record_id: str, name: str, amount: str) -> str:
        deal = {"title": name, "value": float(amount), "stage_id": NEGOTIATIONS_STARTED}
        made = self.ask("api/v2/deals", deal | {"person_id": int(record_id)})
        return str(made["data"]["id"])

    def win(self, deal_id: str) -> None:
        self.ask(f"api/v2/deals/{deal_id}", {"status": "won"}, "PATCH")
