"""The dials of the stand-in: what a test or a person may turn while it runs."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

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


@dataclass
class Settings:
    """Times in seconds. A limit of 0 is no limit."""

    tokens: dict[str, Token]
    rate: int = 100  # requests of a token in ten seconds
    search_rate: int = 5  # searches of the account in a second
    daily: int = 250_000
    day_used_up: bool = False
    search_lag: float = 0.0
    retry_after: bool = False  # whether a 429 says Retry-After
    unique_task_properties: bool = True

    # Where webhooks go; "" tells nobody. The shares are from 0 to 1.
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_generic: bool = False  # `object.propertyChange` for `contact.propertyChange`
    webhook_backoff: float = 60.0  # before the first further attempt
    webhook_twice: float = 0.0  # share of events that come twice
    webhook_lost: float = 0.0  # share of events that never come
    webhook_reorder: bool = False

    def change(self, wanted: dict[str, Any]) -> None:
        """Turn the dials that are named; ValueError names one that does not exist or fit."""
        kinds = {each.name: each.type for each in fields(self)}
        for name, value in wanted.items():
            if name == "tokens":
                self.tokens = {key: Token(**token) for key, token in value.items()}
                continue
            if name not in kinds or not _fits(value, kinds[name]):
                raise ValueError(f"{name} is no setting, or not of this kind")
            setattr(self, name, value)

    def shown(self) -> dict[str, Any]:
        return asdict(self)


def _fits(value: object, kind: object) -> bool:
    if kind is str:
        return isinstance(value, str)
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    return isinstance(value, int | float if kind is float else int) and value >= 0
