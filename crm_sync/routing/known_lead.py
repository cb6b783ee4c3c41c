"""The lead that routing needs, as far as it is known here without a request to the CRM."""

from collections.abc import Collection, Iterable

from crm_sync.models import RoutingRule
from crm_sync.routing.choose import Lead
from crm_sync.routing.territories import territory_facts
from leadscoring.models import Contact

COMPANY_ASKED_LATER = "who owns the contact's company is asked in the CRM when the time comes"


def lead_from_database(
    contact: Contact, rules: Iterable[RoutingRule], without: Collection[str] = ()
) -> Lead:
    """Build the lead of a contact. Reads its company and crm_state: use select_related.

    `without`: owners who do not count.
    """
    state = getattr(contact, "crm_state", None)
    known = any(rule.kind == RoutingRule.Kind.COMPANY_OWNER for rule in rules) and state
    return Lead(
        owner_id=state.owner_id if state and state.owner_id not in without else "",
        untold=COMPANY_ASKED_LATER if known else "",
        facts=territory_facts(contact),
    )
