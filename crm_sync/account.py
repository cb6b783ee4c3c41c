"""Whose CRM this is. Ids of two accounts must never be mixed."""

from datetime import datetime
from weakref import WeakKeyDictionary

from crm_sync.models import Account
from crm_sync.port import Crm, CrmAccount, CrmDenied

# A connection's token does not change, so its account is asked for once.
asked: WeakKeyDictionary[Crm, CrmAccount] = WeakKeyDictionary()


def account_of(crm: Crm, at: datetime) -> Account:
    """The account that `crm` speaks to, which must be the one whose ids are kept here.

    The first one ever seen becomes it. Raises CrmDenied for another, and what the CRM raises.
    """
    there = asked.get(crm) or crm.account()
    asked[crm] = there
    here, _ = Account.objects.get_or_create(
        pk=1, defaults={"portal_id": there.id, "time_zone": there.time_zone, "seen_at": at}
    )
    if here.portal_id != there.id:
        raise CrmDenied(
            f"The token belongs to CRM account {there.id}, but all that is known here belongs to "
            f"account {here.portal_id}: use a token of account {here.portal_id}."
        )
    return here
