"""The identity of the CRM account. Ids of two accounts must never be mixed."""

from datetime import datetime

from crm_sync.models import Account
from crm_sync.port import Crm, CrmDenied


def account_time_zone() -> str:
    """Return the name of the account's time zone; "UTC" before the account was seen."""
    return Account.objects.filter(pk=1).values_list("time_zone", flat=True).first() or "UTC"


def check_account(crm: Crm, at: datetime) -> Account:
    """Return the account that `crm` is connected to, which must be the one whose ids are stored here.

    The CRM is asked only for credentials that were not seen before. Raise what `read_account` raises.
    """
    here = Account.objects.filter(pk=1).first()
    return here if here and here.identity == crm.identity != "" else read_account(crm, at)


def read_account(crm: Crm, at: datetime) -> Account:
    """Read the account from the CRM; the first one ever seen is bound to this installation.

    Raise CrmDenied for another, and any CrmError of the read.
    """
    there = crm.account()
    seen = {"time_zone": there.time_zone, "identity": crm.identity, "seen_at": at}
    here, made = Account.objects.get_or_create(pk=1, defaults={"account_id": there.id, **seen})
    if here.account_id != there.id:
        raise CrmDenied(
            f"The token belongs to CRM account {there.id}, but all that is known here belongs to "
            f"account {here.account_id}: use a token of account {here.account_id}."
        )
    if not made:
        Account.objects.filter(pk=1).update(**seen)
        here.time_zone, here.identity, here.seen_at = there.time_zone, crm.identity, at
    return here


def refresh_task_guard(crm: Crm) -> bool:
    """Ask whether the account refuses a second task of one reference; store and return it."""
    guards = crm.guards_tasks()
    Account.objects.filter(pk=1).update(guards_tasks=guards)
    return guards
