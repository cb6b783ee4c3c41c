"""Whose CRM this is. Ids of two accounts must never be mixed."""

from datetime import datetime

from crm_sync.models import Account
from crm_sync.port import Crm, CrmDenied


def check_account(crm: Crm, at: datetime) -> Account:
    """The account that `crm` speaks to, which must be the one whose ids are kept here.

    The CRM is asked only when these credentials were not seen before. Raises what `ask_account` does.
    """
    here = Account.objects.filter(pk=1).first()
    return here if here and here.token == crm.identity != "" else read_account(crm, at)


def read_account(crm: Crm, at: datetime) -> Account:
    """Ask the CRM whose account it is; the first one ever seen becomes the one kept here.

    Raises CrmDenied for another, and what the CRM raises.
    """
    there = crm.account()
    seen = {"time_zone": there.time_zone, "token": crm.identity, "seen_at": at}
    here, made = Account.objects.get_or_create(pk=1, defaults={"account_id": there.id, **seen})
    if here.account_id != there.id:
        raise CrmDenied(
            f"The token belongs to CRM account {there.id}, but all that is known here belongs to "
            f"account {here.account_id}: use a token of account {here.account_id}."
        )
    if not made:
        Account.objects.filter(pk=1).update(**seen)
        here.time_zone, here.token, here.seen_at = there.time_zone, crm.identity, at
    return here


def refresh_task_guard(crm: Crm) -> bool:
    """Ask whether the account refuses a second task of one reference, and remember it."""
    guards = crm.guards_tasks()
    Account.objects.filter(pk=1).update(guards_tasks=guards)
    return guards
