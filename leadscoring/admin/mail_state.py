"""Whether a contact may be mailed, in one word: for the list of contacts and the page of one."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from leadscoring.extensions import mail_bans
from leadscoring.models import Contact, CrmState, Effect

EFFECTS = {
    Effect.NONE: ("allowed", "plain"),
    Effect.PAUSE: ("paused", "warm"),
    Effect.STOP: ("stopped", "bad"),
}


@dataclass(frozen=True, slots=True)
class MailState:
    """`tone`: as `format.badge_html` takes it. `reason`: what pauses or stops it."""

    word: str
    tone: str
    reason: str = ""


def with_mail_bans(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Read the bans of addresses with their contacts."""
    return contacts.annotate(**{f"ban_{name}": ban() for name, ban in mail_bans.items()})


def mail_state(contact: Any) -> MailState | None:
    """Return it of a contact that was read with its bans; None when the CRM was not asked about them yet."""
    ban = next(filter(None, (getattr(contact, f"ban_{name}") for name in mail_bans)), "")
    crm: CrmState | None = getattr(contact, "crm_state", None)
    if ban or (crm and crm.opted_out):
        return MailState(ban or "unsubscribed", "bad")
    if crm is None:
        return None
    effect = Effect(crm.effect)
    return MailState(*EFFECTS[effect], "" if effect == Effect.NONE else crm.reason)
