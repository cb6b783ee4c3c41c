"""The identity of the CRM account. Ids of two accounts must never be mixed."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from crm_sync import initial_data
from crm_sync.connect import adapter_entry
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
    seen = {
        "crm": settings.CRM,
        "time_zone": there.time_zone,
        "identity": crm.identity,
        "seen_at": at,
    }
    with transaction.atomic():
        here, made = Account.objects.get_or_create(pk=1, defaults={"account_id": there.id, **seen})
        if made and not initial_data.own_mappings():
            initial_data.replace_mapping()  # migrations may have run without knowing the CRM
    if not here.is_account(settings.CRM, there.id):
        raise CrmDenied(
            f"The token belongs to {name_account(settings.CRM, there.id)}, but all that is known here belongs to "
            f"{name_account(here.crm, here.account_id)}: use a token of that one, or move to the other on the page "
            "“CRM account”."
        )
    if not made:
        Account.objects.filter(pk=1).update(**seen)
        for name, value in seen.items():
            setattr(here, name, value)
    return here


def name_account(crm: str, account_id: str) -> str:
    """Return an account as people know it; `crm`: its package, "" when that was not recorded."""
    name = adapter_entry(crm).NAME if crm in settings.ADAPTERS else "CRM"
    return f"{name} account {account_id}"


def refresh_task_guard(crm: Crm) -> bool:
    """Ask whether the account refuses a second task of one reference; store and return it."""
    guards = crm.guards_tasks()
    Account.objects.filter(pk=1).update(guards_tasks=guards)
    return guards
