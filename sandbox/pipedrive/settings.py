"""The dials of Pipedrive's stand-in: what a test or a person may turn while it runs.

What nobody has seen of the real one is a dial as well, at first in the way that is harder on a client.
"""

from dataclasses import dataclass, field
from typing import Any

from ..server.settings import WebhookSettings

API_USER = 7_001


@dataclass
class Token:
    """A token may do what its user may. `forbidden`: `organizations`, or `persons write`."""

    user_id: int = API_USER
    admin: bool = True
    revoked: bool = False
    forbidden: list[str] = field(default_factory=list)

    def may(self, kind: str, write: bool) -> bool:
        return kind not in self.forbidden and not (write and f"{kind} write" in self.forbidden)


@dataclass(kw_only=True)
class Settings(WebhookSettings):
    """Times in seconds. A limit of 0 is no limit."""

    tokens: dict[str, Token]
    rate: int = 40  # requests of a token in two seconds
    search_rate: int = 10  # searches of it in two seconds
    daily: int = 300_000  # what the company's requests may cost in a day
    day_used_up: bool = False
    daily_headers: bool = True  # x-daily-ratelimit-token-*: undocumented
    refused_costs: bool = False  # whether a 429 costs as well
    block_after: int = 50  # 429s within ten seconds, after which everything is blocked for as long
    blocked: bool = False
    search_lag: float = 10.0
    deleted_found: float = 3_600.0  # how long a deleted person stays in the search index
    deleted_readable: bool = True  # by its own address; else it is 404 at once
    deleted_writable: bool = False
    delete_again: int = 404
    merged_readable: bool = True
    merge_joins_emails: bool = True
    campaigns: bool = False
    without_campaigns: int = 403  # what names marketing_status then; 200: it is ignored
    contact_sync: bool = False
    inactive_owners: bool = False  # whether they may be given anything
    long_text_cut: bool = False  # else refused
    null_empties: bool = True  # custom fields
    field_errors_named: bool = True
    checks_addresses: bool = False
    participant_flag: str = "primary"  # how an activity's answer calls it
    done_time: bool = True  # whether `done` sets marked_as_done_time
    rewrites_notes: bool = False
    longest_note: int = 65_535
    deals_of_participants: bool = False  # whether GET /deals?person_id= tells those too
    persons_of_participants: bool = True  # whether GET /persons?deal_id= does
    participant_touches_deal: bool = False
    activity_touches_person: bool = False
    archived_readable: bool = True  # by id
    most_custom_fields: int = 0
    most_open_deals: int = 0
    webhook_backoff: float = 3.0  # then ten and fifty times as long
    webhook_seconds: bool = False  # a webhook's timestamp as seconds since 1970, else ISO 8601

    def change(self, wanted: dict[str, Any]) -> None:
        others = {name: value for name, value in wanted.items() if name != "tokens"}
        if "tokens" in wanted:
            self.tokens = {key: Token(**token) for key, token in wanted["tokens"].items()}
        super().change(others)
