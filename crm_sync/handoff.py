"""Due handoffs on their way to sales: contact → owner → task, each step recorded before the next."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from crm_sync import mapping, wording
from crm_sync.account import account_of
from crm_sync.dossier import Dossier, dossiers
from crm_sync.effects import Stages, Verdict, deals_by_contact, stages_by_id, verdict
from crm_sync.mirroring import deal_row, mirror_owners, mirror_stages
from crm_sync.models import Account, FieldMapping, Handoff, Link, Owner
from crm_sync.models.ledger import LEASE
from crm_sync.port import (
    Crm,
    CrmBusy,
    CrmContact,
    CrmContactWrite,
    CrmDeal,
    CrmDenied,
    CrmError,
    CrmMissing,
    CrmRefused,
    CrmSilent,
    CrmTask,
    CrmTaskWrite,
)
from crm_sync.retrying import wait_of
from crm_sync.routing import NOBODY, Reps, due_at
from leadscoring.models import Effect, Lifecycle
from leadscoring.pausepoints import reach

log = logging.getLogger(__name__)

# Failures of a row's own after which a person has to look.
MOST_FAILURES = 20
# A task whose making was not answered may still be on its way into the CRM for so long.
SETTLE = timedelta(seconds=20)
# A person has to change something in the account: asking more often would only cost requests.
DENIED_WAIT = 60.0

NO_EMAIL = "There is no e-mail address, and the CRM knows people by theirs: add one to the contact, then press Resend."
DELETED = "The contact's record was deleted in the CRM, and a deleted record is never made again."
CUSTOMER = "Already a customer."
SHARED = (
    "CRM record {record} already stands for contact {other} here: they look like one person. "
    "Put them together in one place, then press Resend."
)
WORN_OUT = "Tried {attempts} times in vain. {because} Find the cause, then press Resend."
FAULT = "A fault in this program ({name}): the worker's log says where."


@dataclass(slots=True)
class Batch:
    """Claimed rows and what is known of them. `rows`: those still under way, and still ours."""

    crm: Crm
    at: datetime
    rows: list[Handoff]
    account: Account = field(init=False)
    stages: Stages = field(default_factory=dict)
    mappings: list[FieldMapping] = field(default_factory=list)
    known: dict[int, Dossier] = field(default_factory=dict)
    links: dict[int, Link] = field(default_factory=dict)
    records: dict[int, CrmContact] = field(default_factory=dict)  # by contact, as read there
    owners: dict[str, Owner] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """The instant we were told, and the time that went by since."""
        return self.at + timedelta(seconds=time.monotonic() - self.began)

    def record(self) -> None:
        """Write how far the rows have come and renew the lease; keep those that go on and are ours."""
        for row in self.under_way():
            row.due_at = self.now() + LEASE
        ours = Handoff.objects.record(self.rows)
        if len(ours) < len(self.rows):
            log.warning("%d handoffs are in another worker's hands", len(self.rows) - len(ours))
        self.rows = ours
        self.rows = self.under_way()

    def under_way(self) -> list[Handoff]:
        return [
            row for row in self.rows if row.status == Handoff.Status.WAITING and not row.released
        ]

    def postpone(self, row: Handoff, because: str, at_least: float = 0.0, *, excused: bool) -> None:
        until = self.now() + wait_of(row.attempts, row.reference, at_least)
        row.postpone(because, until, excused=excused)

    def postpone_all(self, because: str, at_least: float = 0.0, *, excused: bool) -> None:
        """Nothing more now. A cause that all share also lets those wait that nobody has claimed."""
        for row in self.under_way():
            self.postpone(row, because, at_least, excused=excused)
        self.record()
        if excused:
            Handoff.objects.put_off(self.now(), because, self.now() + wait_of(1, "all", at_least))


def deliver_due(crm: Crm, at: datetime) -> int:
    """Claim the hottest due handoffs and take them as far as they go; answers how many were claimed.

    Whatever stops it, each row says how far it came and why no further. Only faults of this
    program are raised, after they were written down.
    """
    rows = Handoff.objects.claim(at=at)
    if rows:
        batch = Batch(crm, at, rows)
        try:
            deliver(batch)
        except CrmBusy as busy:
            batch.postpone_all(str(busy), busy.retry_after, excused=True)
        except CrmDenied as denied:
            batch.postpone_all(str(denied), DENIED_WAIT, excused=True)
        except CrmError as error:
            batch.postpone_all(str(error), excused=False)
        except Exception as fault:
            batch.postpone_all(FAULT.format(name=type(fault).__name__), excused=False)
            raise
    return len(rows)


def deliver(batch: Batch) -> None:
    batch.account = account_of(batch.crm, batch.at)
    for step in STEPS:
        step(batch)
        batch.record()
        if not batch.rows:
            return


def begun(row: Handoff) -> bool:
    """Whether a task may exist already, so that only looking can tell."""
    return row.task_tried_at is not None and not row.task_id


# --- what is known here -----------------------------------------------------------------------


def weigh(batch: Batch) -> None:
    """Set aside what must not or cannot go, by what is known here."""
    ids = [row.contact_id for row in batch.rows]
    batch.known = dossiers(ids, batch.at)
    batch.links = Link.objects.in_bulk(ids)
    batch.stages = stages_by_id()
    batch.mappings = list(FieldMapping.objects.filter(enabled=True).order_by("pk"))
    deals = deals_by_contact(ids, closed=False)
    for row in batch.rows:
        known = batch.known[row.contact_id]
        row.contact = known.contact
        if row.failures > MOST_FAILURES:
            row.give_up(WORN_OUT.format(attempts=row.attempts, because=row.because))
        elif begun(row):
            continue
        elif because := unwanted(known, verdict(deals[row.contact_id], batch.stages)):
            row.withdraw(because)
        elif not known.contact.email and row.contact_id not in batch.links:
            row.give_up(NO_EMAIL)


def unwanted(known: Dossier, deals: Verdict) -> str:
    """Why sales should not be told of a contact any more; "" when they should."""
    if known.score and known.score.disqualified:
        reasons = known.score.contributions
        return (
            f"Disqualified meanwhile: {reasons[0]['because']}"
            if reasons
            else "Disqualified meanwhile."
        )
    if known.contact.lifecycle_stage == Lifecycle.CUSTOMER:
        return CUSTOMER
    return f"Sales is at work already: {deals.because}." if deals.effect != Effect.NONE else ""


# --- step 1: the contact's record ---------------------------------------------------------------


def read_records(batch: Batch) -> None:
    """Find out what the CRM has: by record id where we know it, else by address."""
    properties = [row.property for row in batch.mappings]
    known = [row for row in batch.rows if row.contact_id in batch.links]
    new = [row for row in batch.rows if row.contact_id not in batch.links]
    by_id = ask(
        batch.crm.contacts_by_id,
        [batch.links[row.contact_id].record_id for row in known],
        properties,
    )
    by_email = ask(
        batch.crm.contacts_by_email, [row.contact.email or "" for row in new], properties
    )
    for row in known:
        keep(batch, row, by_id.get(batch.links[row.contact_id].record_id))
    for row in new:
        keep(batch, row, by_email.get(row.contact.email or ""))
    refuse_shared(
        batch, {row.pk: there.record_id for row in batch.rows if (there := record_of(batch, row))}
    )
    respect_their_deals(batch, [row for row in new if record_of(batch, row)])


def ask(
    question: Callable[[Sequence[str], Sequence[str]], Mapping[str, CrmContact]],
    keys: Sequence[str],
    properties: Sequence[str],
) -> Mapping[str, CrmContact]:
    return question(keys, properties) if keys else {}


def record_of(batch: Batch, row: Handoff) -> CrmContact | None:
    return batch.records.get(row.contact_id)


def keep(batch: Batch, row: Handoff, record: CrmContact | None) -> None:
    if record:
        batch.records[row.contact_id] = record
    if record and record.lifecycle_stage == Lifecycle.CUSTOMER and not begun(row):
        row.withdraw(CUSTOMER)
    elif record is None and row.contact_id in batch.links:
        row.withdraw(DELETED)


def refuse_shared(batch: Batch, record_ids: Mapping[int, str]) -> None:
    """A record stands for one contact: rows whose record is another's need a person."""
    links = Link.objects.filter(
        portal_id=batch.account.portal_id, record_id__in=record_ids.values()
    )
    holders = dict(links.values_list("record_id", "contact_id"))
    for row in batch.under_way():
        record_id = record_ids.get(row.pk)
        if record_id and (other := holders.setdefault(record_id, row.contact_id)) != row.contact_id:
            row.give_up(SHARED.format(record=record_id, other=other))


def respect_their_deals(batch: Batch, rows: Iterable[Handoff]) -> None:
    """Somebody whom the CRM knew before us may be in negotiation already."""
    rows = [row for row in rows if row.status == Handoff.Status.WAITING]
    if not rows:
        return
    deals = batch.crm.deals_of([batch.records[row.contact_id].record_id for row in rows])
    know_stages(batch, (deal for found in deals.values() for deal in found))
    for row in rows:
        found = deals.get(batch.records[row.contact_id].record_id, ())
        open_deals = [deal_row(deal, batch.at) for deal in found if not deal.closed]
        if because := unwanted(batch.known[row.contact_id], verdict(open_deals, batch.stages)):
            row.withdraw(because)


def know_stages(batch: Batch, deals: Iterable[CrmDeal]) -> None:
    """Read the pipelines when a deal is in a stage that is not known here."""
    if any((deal.pipeline_id, deal.stage_id) not in batch.stages for deal in deals):
        mirror_stages(batch.crm.stages())
        batch.stages = stages_by_id()


def save_records(batch: Batch) -> None:
    """Write the records; properties that the CRM refuses are left out, and the lead still goes."""
    for row in batch.rows:
        row.left_out = {}
    sent = {row.pk: write_of(batch, row) for row in batch.rows}
    answers = dict(batch.crm.save_contacts(list(sent.values())))
    again = {
        row.pk: changed
        for row in batch.rows
        if (changed := without_what_was_refused(row, sent[row.pk], answers.get(row.reference)))
    }
    if again:
        answers |= batch.crm.save_contacts(list(again.values()))
    reach("handoff.contact_saved")
    saved = {}
    for row in batch.rows:
        answer = answers.get(row.reference, CrmSilent("The CRM did not answer for this contact."))
        if isinstance(answer, CrmContact):
            saved[row.pk] = answer
        else:
            stop(batch, row, answer)
    refuse_shared(batch, {pk: record.record_id for pk, record in saved.items()})
    link(batch, saved, sent | again)


def write_of(batch: Batch, row: Handoff) -> CrmContactWrite:
    record, link = record_of(batch, row), batch.links.get(row.contact_id)
    properties = mapping.properties_of(
        batch.known[row.contact_id],
        batch.mappings,
        batch.crm.lifecycle_words,
        record,
        link.written if link else {},
    )
    record_id = record.record_id if record else ""
    return CrmContactWrite(row.reference, record_id, row.contact.email or "", properties)


def without_what_was_refused(
    row: Handoff, sent: CrmContactWrite, answer: CrmContact | CrmError | None
) -> CrmContactWrite | None:
    """A refused write without the properties at fault; None when there is nothing to try.

    An address that turned out to belong to a record is written to that record.
    """
    if not isinstance(answer, CrmRefused):
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


def link(
    batch: Batch, saved: Mapping[int, CrmContact], sent: Mapping[int, CrmContactWrite]
) -> None:
    """Remember which record each contact is, with the ledger's step in one transaction."""
    links = []
    for row in batch.under_way():
        row.portal_id, row.record_id = batch.account.portal_id, saved[row.pk].record_id
        links.append(link_row(batch, row, sent[row.pk].properties, saved[row.pk]))
    with transaction.atomic():
        Link.objects.bulk_create(
            sorted(links, key=lambda row: row.contact_id),
            update_conflicts=True,
            unique_fields=["contact"],
            update_fields=["portal_id", "record_id", "owner_id", "lifecycle_stage", "lead_status",
                           "opted_out", "written", "seen_at", "gone_at"],
        )  # fmt: skip
        batch.record()


def link_row(batch: Batch, row: Handoff, sent: Mapping[str, str], saved: CrmContact) -> Link:
    before, read = batch.links.get(row.contact_id), record_of(batch, row) or saved
    return Link(
        contact_id=row.contact_id,
        portal_id=batch.account.portal_id,
        record_id=saved.record_id,
        owner_id=read.owner_id,
        lifecycle_stage=read.lifecycle_stage,
        lead_status=read.lead_status,
        opted_out=read.opted_out,
        written={**(before.written if before else {}), **sent},
        seen_at=batch.now(),
    )


# --- step 2: whose lead it is -------------------------------------------------------------------


def find_owners(batch: Batch) -> None:
    """Give each lead to somebody, in turn also when several workers do so at once."""
    own = {row.pk: there.owner_id if (there := record_of(batch, row)) else "" for row in batch.rows}
    active = set(Owner.objects.filter(active=True).values_list("owner_id", flat=True))
    if not active or any(owner_id and owner_id not in active for owner_id in own.values()):
        mirror_owners(batch.crm.owners(), batch.at)
    with transaction.atomic():
        owners = list(Owner.objects.select_for_update().order_by("pk"))
        reps = Reps(owners)
        for row in batch.rows:
            choice = reps.choose(kept=row.owner_id, own=own[row.pk], at=batch.now())
            if choice:
                row.owner_id, row.owner_because = choice.owner.owner_id, choice.because
            else:
                row.give_up(NOBODY)
        Owner.objects.bulk_update(reps.active.values(), ["last_lead_at"])
        batch.record()
    batch.owners = reps.active


# --- step 3: the task ---------------------------------------------------------------------------


def look_for_tasks(batch: Batch) -> None:
    """Of tasks that may have been made, find out whether they were; adopt those that are there."""
    unsure = [row for row in batch.rows if begun(row)]
    for row in unsure:
        if row.task_tried_at and (settled := row.task_tried_at + SETTLE) > batch.now():
            row.postpone(
                row.because or "It is not known yet whether the task was made.",
                settled,
                excused=True,
            )
    unsure = [row for row in unsure if not row.released]
    if unsure:
        tasks = batch.crm.tasks_of([batch.records[row.contact_id].record_id for row in unsure])
        for row in unsure:
            adopt(batch, row, tasks.get(batch.records[row.contact_id].record_id, ()))


def adopt(batch: Batch, row: Handoff, tasks: Iterable[CrmTask]) -> None:
    found = [task for task in tasks if row.reference in task.body]
    if found:
        row.deliver(found[0].task_id, batch.now())


def make_tasks(batch: Batch) -> None:
    """Make the tasks. That it is tried is written first: after that only looking can tell."""
    for row in batch.rows:
        row.task_tried_at = batch.now()
    batch.record()
    reach("handoff.before_task")
    try:
        answers = batch.crm.create_tasks([task_of(batch, row) for row in batch.rows])
    except (CrmBusy, CrmDenied):
        for row in batch.rows:
            row.task_tried_at = None
        raise
    reach("handoff.task_made")
    for row in batch.rows:
        answer = answers.get(
            row.reference, CrmSilent("The CRM did not say whether it made the task.")
        )
        if isinstance(answer, CrmTask):
            row.deliver(answer.task_id, batch.now())
        else:
            row.task_tried_at = row.task_tried_at if isinstance(answer, CrmSilent) else None
            stop(batch, row, answer)


def task_of(batch: Batch, row: Handoff) -> CrmTaskWrite:
    zone = batch.owners[row.owner_id].time_zone or batch.account.time_zone
    return CrmTaskWrite(
        trace=row.reference,
        record_id=row.record_id,
        owner_id=row.owner_id,
        subject=wording.subject(row),
        body=wording.body(row, batch.known[row.contact_id]),
        due_at=due_at(batch.now(), zone, row.grade),
    )


def stop(batch: Batch, row: Handoff, error: CrmError) -> None:
    """What becomes of a row whose own write went wrong."""
    match error:
        case CrmMissing():
            row.withdraw(DELETED)
        case CrmRefused():
            row.give_up(f"{error} Mend it in the contact or in the CRM, then press Resend.")
        case CrmBusy():
            batch.postpone(row, str(error), error.retry_after, excused=True)
        case CrmDenied():
            batch.postpone(row, str(error), DENIED_WAIT, excused=True)
        case _:
            batch.postpone(row, str(error), excused=False)


STEPS = (weigh, read_records, look_for_tasks, save_records, find_owners, make_tasks)
