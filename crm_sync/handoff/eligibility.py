"""Eligibility: which leads must not or cannot go to sales.

Checked by what is known here before anything is sent, and by the CRM's own deals once the record is read.
"""

from collections.abc import Iterable

from crm_sync.deals.mirror import deal_row, mirror_stages
from crm_sync.deals.stage_policy import DealEffect, deals_by_contact, decide_effect, stages_by_id
from crm_sync.handoff.batch import Batch
from crm_sync.mapping.contact_facts import ContactFacts, load_contact_facts
from crm_sync.models import FieldMapping, Handoff, Link
from crm_sync.port import CrmDeal

# Failures of a row's own after which it needs a person.
MOST_FAILURES = 20

NO_EMAIL = "There is no e-mail address, and the CRM knows people by theirs: add one to the contact, then press Resend."
CUSTOMER = "Already a customer."
WORN_OUT = "Tried {attempts} times in vain. {reason} Find the cause, then press Resend."


def check_eligibility(batch: Batch) -> None:
    """Withdraw or give up rows that must not or cannot go, by what is known here."""
    ids = [row.contact_id for row in batch.rows]
    batch.known = load_contact_facts(ids, batch.at)
    batch.links = Link.objects.in_bulk(ids)
    batch.stages = stages_by_id()
    batch.mappings = list(FieldMapping.objects.sent().order_by("pk"))
    deals = deals_by_contact(ids, closed=False)
    contacts = [known.contact for known in batch.known.values()]
    batch.seen = {
        each.pk: each.crm_state.seen_at for each in contacts if hasattr(each, "crm_state")
    }
    batch.set_aside_merged(ids)
    for row in batch.active_rows():
        known = batch.known[row.contact_id]
        row.contact = known.contact
        if row.failures > MOST_FAILURES:
            row.give_up(WORN_OUT.format(attempts=row.attempts, reason=row.reason))
        elif row.task_attempted:
            continue
        elif reason := reason_not_to_send(
            known,
            decide_effect(deals[row.contact_id], batch.stages),
            # Of a linked contact the record says it, which is read next: our copy may be older.
            customer=known.is_customer and row.contact_id not in batch.links,
        ):
            row.withdraw(reason)
        elif not known.contact.email and row.contact_id not in batch.links:
            row.give_up(NO_EMAIL)


def respect_their_deals(batch: Batch, rows: Iterable[Handoff]) -> None:
    """Withdraw rows by their deals: a contact that the CRM knew before us may be in negotiation."""
    rows = [row for row in rows if row.status == Handoff.Status.WAITING]
    if not rows:
        return
    deals = batch.crm.deals_of([batch.records[row.contact_id].record_id for row in rows])
    refresh_unknown_stages(batch, (deal for found in deals.values() for deal in found))
    for row in rows:
        found = deals.get(batch.records[row.contact_id].record_id, ())
        open_deals = [deal_row(deal, batch.at) for deal in found if not deal.closed]
        if reason := reason_not_to_send(
            batch.known[row.contact_id],
            decide_effect(open_deals, batch.stages),
            customer=False,  # by its record
        ):
            row.withdraw(reason)


def refresh_unknown_stages(batch: Batch, deals: Iterable[CrmDeal]) -> None:
    """Read the pipelines when a deal is in a stage that is unknown here."""
    if any((deal.pipeline_id, deal.stage_id) not in batch.stages for deal in deals):
        mirror_stages(batch.crm.stages())
        batch.stages = stages_by_id()


def reason_not_to_send(known: ContactFacts, deals: DealEffect, *, customer: bool) -> str:
    """Return why a contact should no longer be sent to sales; "" when it should.

    `deals`: the effect of its open deals. `customer`: whether it is one already.
    """
    if known.score and known.score.disqualified:
        reasons = known.score.contributions
        return (
            f"Disqualified meanwhile: {reasons[0]['because']}"
            if reasons
            else "Disqualified meanwhile."
        )
    if customer:
        return CUSTOMER
    return f"Sales is at work already: {open_deal_reason(deals)}." if deals.deals else ""


def open_deal_reason(deals: DealEffect) -> str:
    """Return a sentence that names the deciding open deal, whatever its stage does to mails."""
    deal = deals.deals[0]
    return deals.reason or f"Deal “{deal['name']}” is in {deal['stage']} ({deal['pipeline']})"
