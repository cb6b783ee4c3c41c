"""The dials of HubSpot's stand-in: what a test or a person may turn while it runs."""

from dataclasses import dataclass, field
from typing import Any

from ..server.settings import WebhookSettings

# What the product needs at run time and for set-up.
ALL_SCOPES = (
    "communication_preferences.read_write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.objects.owners.read",
    "crm.schemas.companies.write",
    "crm.schemas.contacts.write",
    "crm.schemas.deals.write",
)


@dataclass
class Token:
    scopes: list[str] = field(default_factory=lambda: list(ALL_SCOPES))
    expired: bool = False
    revoked: bool = False
    removed: list[str] = field(default_factory=list)  # scopes that were taken away again

    def may(self, any_of: set[str]) -> bool:
        return not any_of.isdisjoint(set(self.scopes) - set(self.removed))


@dataclass(kw_only=True)
class Settings(WebhookSettings):
    """Times in seconds. A limit of 0 is no limit."""

    tokens: dict[str, Token]
    rate: int = 100  # requests of a token in ten seconds
    search_rate: int = 5  # searches of the account in a second
    daily: int = 250_000
    day_used_up: bool = False
    search_lag: float = 0.0
    retry_after: bool = False  # whether a 429 says Retry-After
    unique_task_properties: bool = True
    webhook_generic: bool = False  # `object.propertyChange` for `contact.propertyChange`

    def change(self, wanted: dict[str, Any]) -> None:
        others = {name: value for name, value in wanted.items() if name != "tokens"}
        if "tokens" in wanted:
            self.tokens = {key: Token(**token) for key, token in wanted["tokens"].items()}
        super().change(others)
