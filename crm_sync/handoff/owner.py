"""The step of a handoff that assigns each lead to an owner, by the routing rules."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F, Model, Q
from django.db.models.functions import Coalesce

from crm_sync.deals.mirror import mirror_owners
from crm_sync.handoff.batch import Batch
from crm_sync.models import Handoff, Owner, RoutingRule, RulePlace
from crm_sync.port import Crm, CrmError
from crm_sync.routing.choose import NOBODY, Lead, RoutingTable
from crm_sync.routing.territories import territory_facts

UNTOLD = "the CRM did not say who owns the contact's company"
COUNTED = ("last_lead_at", "credit", "counted_on", "leads_counted")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CompanyOwners:
    """The owners of contacts' companies, by the contacts' record ids; or why they are unknown."""

    owner_ids: Mapping[str, str] = field(default_factory=dict)
    untold: str = ""


def assign_owners(batch: Batch) -> None:
    """Assign an owner to each lead, in turn even when several workers do so at once.

    An owner assigned at an earlier attempt keeps the lead while available. All reads from the CRM
    come before the transaction, in which all owners are locked.
    """
    known = [there.record_id for row in batch.rows if (there := batch.record_of(row))]
    companies = read_company_owners(batch.crm, known)
    leads = {row.pk: build_lead(batch, row, companies) for row in batch.rows}
    refresh_unknown_owners(batch.crm, leads.values(), batch.at)
    with transaction.atomic():
        routing = lock_routing(batch.account.time_zone)
        for row in batch.rows:
            assign_owner(row, leads[row.pk], routing, batch)
        store_routing(routing)
        batch.store_progress()
    batch.owners = {key: owner for key, owner in routing.owners.items() if owner.active}


def read_company_owners(crm: Crm, record_ids: Sequence[str]) -> CompanyOwners:
    """Read the owners in one call, for contacts that the CRM knew before, and only if a rule needs them.

    A lead does not wait for it: without an answer the next rule decides.
    """
    if not record_ids or not RoutingRule.objects.asking_for_companies():
        return CompanyOwners()
    try:
        return CompanyOwners(crm.company_owners(record_ids))
    except CrmError as error:
        log.warning(
            "who owns the companies of %d contacts is not known: %s", len(record_ids), error
        )
        return CompanyOwners(untold=UNTOLD)


def build_lead(batch: Batch, row: Handoff, companies: CompanyOwners) -> Lead:
    there = batch.record_of(row)
    return Lead(
        owner_id=there.owner_id if there else "",
        company_owner_id=companies.owner_ids.get(there.record_id, "") if there else "",
        untold=companies.untold if there else "",
        facts=territory_facts(batch.known[row.contact_id].contact),
    )


def refresh_unknown_owners(crm: Crm, leads: Iterable[Lead], at: datetime) -> None:
    """Read the CRM's owners when one of them is unknown here, none is active, or it refused one."""
    refused = Coalesce(Q(rejected_at__gt=F("seen_at")), False)
    known = list(Owner.objects.values_list("owner_id", "active", refused))
    named = {owner_id for lead in leads for owner_id in (lead.owner_id, lead.company_owner_id)}
    unknown = named - {""} - {owner_id for owner_id, _, _ in known}
    if unknown or not any(active for _, active, _ in known) or any(new for _, _, new in known):
        mirror_owners(crm.owners(), at)


def lock_routing(account_zone: str, without: Collection[str] = ()) -> RoutingTable:
    """Lock the owners until the transaction ends, so that no other worker chooses; return the routing.

    `without`: owners who are not to be chosen.
    """
    owners = [owner for owner in Owner.objects.select_for_update().order_by("pk") if owner.owner_id not in without]  # fmt: skip
    return RoutingTable(RoutingRule.objects.in_force(), owners, account_zone)


def assign_owner(row: Handoff, lead: Lead, routing: RoutingTable, batch: Batch) -> None:
    at = batch.now()
    if routing.keeps(row.owner_id, at):
        return
    choice = routing.choose(lead, at)
    if choice.owner is None:
        row.owner_id = row.owner_reason = ""
        row.give_up(NOBODY.format(reason=choice.reason))
        return
    routing.give(choice, at)
    row.owner_id, row.owner_reason = choice.owner.owner_id, choice.reason


def store_routing(routing: RoutingTable) -> None:
    """Store the rotation and the counts of leads. Two statements at most."""
    moved: set[Model] = set(routing.moved)
    owners = [row for row in moved if isinstance(row, Owner)]
    places = [row for row in moved if isinstance(row, RulePlace)]
    Owner.objects.bulk_update(owners, COUNTED)
    RulePlace.objects.bulk_update(places, ["credit"])
