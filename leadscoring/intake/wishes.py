"""Wishes for no mail that come in with other facts: an unsubscribed column, a list of bounces."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from leadscoring.erasing import erased_addresses
from leadscoring.intake.journal import note_wishes
from leadscoring.signals import no_mail_asked


@dataclass(frozen=True, slots=True)
class MailWish:
    """An address that is not to be mailed. `bounced`: it refused mail, which is no wish of a person."""

    email: str
    bounced: bool
    detail: str
    since: datetime


def keep_wishes(wishes: Iterable[MailWish], at: datetime) -> None:
    """Have addresses suppressed, but for erased ones, of which nothing is kept."""
    asked = list(wishes)
    gone = erased_addresses({wish.email for wish in asked})
    with transaction.atomic():
        kept = [one for one in asked if one.email not in gone]
        answers: list[Any] = no_mail_asked.send(MailWish, wishes=kept, at=at)
        note_wishes(change for _, changes in answers for change in changes)
