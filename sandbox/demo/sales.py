"""What the story asks of a CRM, as a person in sales sees it; one module for each CRM beside this one."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

CRMS = ("hubspot", "salesforce", "pipedrive")


class HopFailed(Exception):
    """A hop of the loop did not happen; the sentence says which."""


class SalesTask(NamedTuple):
    task_id: str
    subject: str
    body: str
    owner_id: str


class Sales(Protocol):
    """`module`: the stand-in, to be started with `python -m`."""

    module: str

    @staticmethod
    def settings(address: str) -> Mapping[str, str]:
        """Return made-up credentials and all other settings of the CRM's package."""

    @staticmethod
    def options(environment: Mapping[str, str]) -> tuple[str, ...]:
        """Return the options by which the stand-in takes these credentials."""

    def __init__(self, address: str, environment: Mapping[str, str]) -> None: ...

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Make a request of the CRM's own API."""

    def tasks(self) -> list[SalesTask]:
        """Return all tasks that there are."""

    def owner(self, owner_id: str) -> str:
        """Return a rep's name."""

    def negotiate(self, record_id: str, name: str, amount: str) -> str:
        """Make a deal of a contact that is being negotiated; return its id."""

    def win(self, deal_id: str) -> None: ...


def sales_of(crm: str) -> type[Sales]:
    """Return the class for a CRM by the name of its package."""
    return cast("type[Sales]", import_module(f"sandbox.demo.{crm}").SalesSide)


def ask(url: str, headers: Mapping[str, str], body: Any = None, method: str | None = None) -> Any:
    """A JSON question over HTTP; the answer, parsed. Raises HopFailed with what was refused."""
    request = urllib.request.Request(  # noqa: S310 - loopback addresses that the stage made
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refused:
        raise HopFailed(
            f"{request.get_method()} {url} answered {refused.code}: {refused.read()[:300]!r}"
        ) from refused


def bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
