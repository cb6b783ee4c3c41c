"""The step of a handoff that writes the contact's record in the CRM and links the contact to it."""

from collections.abc import Collection, Mapping

from django.db import transaction

from crm_sync.handoff.batch import Batch
from crm_sync.handoff.shared_records import merge_shared_records
from crm_sync.mapping import record_values
from crm_sync.models import Handoff, LastKnown, Link
from crm_sync.outcomes.evaluate import remember_lead_statuses
from crm_sync.port import CrmContact, CrmContactWrite, CrmError, CrmRejected, CrmSilent
from leadscoring import crm_state
from leadscoring.crm_state import last_seen_at
from leadscoring.models import Contact, CrmState
from leadscoring.operations.failpoints import reach

# The fields of a link that a refresh writes too.
READ = ("owner_id", "lead_status", "opted_out", "seen_at")


def save_contact_records(batch: Batch) -> None:
    """Write the records. Leave out properties that the CRM rejects, so that the lead still goes."""
    for row in batch.rows:
        row.left_out = {}
    sent = batch.prepare(lambda row: build_write(batch, row))
    answers = dict(write_records(batch, sent))
    again = {
        row.pk: changed
        for row in batch.rows
        if (changed := without_rejected_properties(row, sent[row.pk], answers.get(row.reference)))
    }
    if again:
        answers |= write_records(batch, again)
    reach("handoff.contact_saved")
    silence = CrmSilent("The CRM did not answer for this contact.")
    answered = {row.pk: answers.get(row.reference, silence) for row in batch.rows}
    batch.check_answered(answered.values())
    saved = {}
    for row in batch.rows:
        answer = answered[row.pk]
        if isinstance(answer, CrmContact):
            saved[row.pk] = answer
        else:
            batch.settle_row_error(row, answer)
    merge_shared_records(batch, saved)
    link_records(batch, saved, sent | again)


def write_records(
    batch: Batch, sent: Mapping[int, CrmContactWrite]
) -> Mapping[str, CrmContact | CrmError]:
    """Write the records that differ. Skip one that is up to date already, as after an interrupted
    try: a CRM may reject an empty write."""
    writes = {pk: write for pk, write in sent.items() if write.properties}
    answers = dict(batch.crm.save_contacts(list(writes.values())) if writes else {})
    for row in batch.rows:
        if row.pk not in writes and (record := batch.record_of(row)):
            answers[row.reference] = record
    return answers


def build_write(batch: Batch, row: Handoff) -> CrmContactWrite:
    record, link = batch.record_of(row), batch.links.get(row.contact_id)
    properties = record_values.record_properties(
        batch.known[row.contact_id],
        batch.mappings,
        batch.crm.lifecycle_words,
        record,
        link.last_known if link else LastKnown(),
    )
    record_id = record.record_id if record else ""
    return CrmContactWrite(row.reference, record_id, row.contact.email or "", properties)


def without_rejected_properties(
    row: Handoff, sent: CrmContactWrite, answer: CrmContact | CrmError | None
) -> CrmContactWrite | None:
    """Return a rejected write without the properties at fault; None when there is nothing to retry.

    An address that turned out to belong to a record is written to that record.
    """
    if not isinstance(answer, CrmRejected):
        return None
    if answer.existing_id and not sent.record_id:
        return CrmContactWrite(sent.trace, answer.existing_id, sent.email, sent.properties)
    refused = {name: why for name, why in answer.properties.items() if name in sent.properties}
    if answer.existing_id and not refused:
        taken = f"CRM record {answer.existing_id} has it already"
        refused = {name: taken for name, value in sent.properties.items() if value == sent.email}
    row.left_out = refused
    rest = {name: value for name, value in sent.properties.items() if name not in refused}
    return CrmContactWrite(sent.trace, sent.record_id, sent.email, rest) if refused else None


def link_records(
    batch: Batch, saved: Mapping[int, CrmContact], sent: Mapping[int, CrmContactWrite]
) -> None:
    """Link each contact to its record, in one transaction with the step of the ledger.

    A contact that was erased meanwhile has no row in the ledger any more, and gets no link.
    """
    for row in batch.active_rows():
        row.account_id, row.record_id = batch.account.account_id, saved[row.pk].record_id
    with transaction.atomic():
        batch.set_aside_merged(lock_contacts(batch))
        batch.store_progress()
        ids = [row.contact_id for row in batch.active_rows()]
        locked = Link.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        now, looked_at = {link.pk: link for link in locked}, refreshed_since(batch, ids)
        links = dict(now)
        for row in batch.active_rows():
            pk, values = row.contact_id, sent[row.pk].properties
            fresh = link_row(batch, row, saved[row.pk])
            written = LastKnown(
                values, record_values.kept_forms(batch.mappings, values, saved[row.pk])
            )
            links[pk] = merge_link(fresh, links.get(pk), written, newer=pk in looked_at)
        Link.objects.bulk_create(
            [links[pk] for pk in sorted(links)],
            update_conflicts=True,
            unique_fields=["contact"],
            update_fields=["account_id", "record_id", "owner_id", "lifecycle_stage", "lead_status",
                           "opted_out", "last_written", "kept_as", "seen_at",
                           "missing_since", "gone_at", "gone_for_good"],
        )  # fmt: skip
        remember_lead_statuses((row, links[row.contact_id]) for row in batch.active_rows())
        crm_state.store_states(initial_states(batch, now.keys() | looked_at), batch.now())


def lock_contacts(batch: Batch) -> set[int]:
    """Lock the contacts in the common order, before what belongs to them; return those that exist."""
    people = Contact.objects.filter(pk__in=[row.contact_id for row in batch.active_rows()])
    locked = people.select_for_update(no_key=True).order_by("pk")
    return set(locked.values_list("pk", flat=True))


def refreshed_since(batch: Batch, ids: Collection[int]) -> set[int]:
    """Return those that were refreshed since the batch checked their eligibility."""
    seen = last_seen_at(ids)
    return {pk for pk in ids if seen.get(pk) != batch.seen.get(pk)}


def initial_states(batch: Batch, known: Collection[int]) -> list[CrmState]:
    """Return the states of contacts that this batch created in the CRM: there is nothing to read yet.

    `known`: those linked or refreshed meanwhile, of which a better state is known.
    """
    made = [
        row
        for row in batch.active_rows()
        if batch.record_of(row) is None and row.contact_id not in known
    ]
    return [
        CrmState(
            contact_id=row.contact_id,
            record_id=row.record_id,
            record_url=batch.crm.contact_url(row.record_id),
            since=batch.at,
            seen_at=batch.at,
        )
        for row in sorted(made, key=lambda row: row.contact_id)
    ]


def merge_link(fresh: Link, before: Link | None, written: LastKnown, *, newer: bool) -> Link:
    """Return the link to store: it keeps what others wrote to the record meanwhile, and what a later
    refresh has read (`newer`)."""
    base = before or fresh
    others = {name: form for name, form in base.kept_as.items() if name not in written.sent}
    fresh.last_written = {**base.last_written, **written.sent}
    fresh.kept_as = {**others, **written.kept}
    if before is None:
        return fresh
    # Only the pull follows a stage: until then what it last knew stays, so that it sees the change.
    fresh.lifecycle_stage = before.lifecycle_stage
    for name in READ if newer else ():
        setattr(fresh, name, getattr(before, name))
    return fresh


def link_row(batch: Batch, row: Handoff, saved: CrmContact) -> Link:
    read = batch.record_of(row) or saved
    found_by = record_values.email_at_linking(batch.mappings, read, row.contact.email)
    return Link(
        contact_id=row.contact_id,
        account_id=batch.account.account_id,
        record_id=saved.record_id,
        owner_id=read.owner_id,
        lifecycle_stage=read.lifecycle_stage,
        lead_status=read.lead_status,
        opted_out=read.opted_out,
        last_written=found_by,
        seen_at=batch.now(),
    )
