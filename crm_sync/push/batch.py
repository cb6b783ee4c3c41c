"""Scores, reasons and other changes of contacts that the CRM knows: pushed as a difference.

Only what differs from what we last wrote is considered, and of that only what the record does not
hold already and the mapping lets us write: what a person wrote there stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from crm_sync.account import check_account
from crm_sync.circuit_breaker import BreakerState, admission, record_failure, reset
from crm_sync.mapping import record_values
from crm_sync.mapping.contact_facts import ContactFacts, load_contact_facts
from crm_sync.models import Breaker, FieldMapping, LastKnown, Link, Push
from crm_sync.models.pushes import links_with_changes
from crm_sync.port import (
    Crm,
    CrmContact,
    CrmContactWrite,
    CrmDenied,
    CrmError,
    CrmPaced,
    CrmRejected,
    CrmUnexplained,
)
from leadscoring.common import bulk_sql
from leadscoring.operations.failpoints import reach

BATCH = 100
WRITTEN = """
    UPDATE crm_sync_link AS link SET last_written = link.last_written || told.last_written,
        kept_as = link.kept_as - ARRAY(SELECT jsonb_object_keys(told.last_written)) || told.kept_as
    FROM jsonb_populate_recordset(NULL::crm_sync_link, %s) AS told
    WHERE link.contact_id = told.contact_id
"""
Properties = dict[str, str]


@dataclass(slots=True)
class PushBatch:
    """Contacts whose records are updated together."""

    crm: Crm
    at: datetime
    links: list[Link]
    mappings: list[FieldMapping]
    known: dict[int, ContactFacts] = field(default_factory=dict)
    refused: dict[int, Properties] = field(default_factory=dict)


def push_due(crm: Crm, at: datetime) -> int:
    """Push changes of the contacts that waited longest; return how many are settled by it.

    Return 0 when each of them failed by itself: they are retried at the next wake-up, not at once.
    An error that affects all opens the breaker and is not raised.
    """
    with admission(crm, Breaker.Work.PUSH, at) as state:
        return 0 if state is BreakerState.OPEN else push_some(crm, at)


def push_some(crm: Crm, at: datetime) -> int:
    links = list(links_with_changes(at)[:BATCH])
    # Only a handoff writes a fixed value: it means that the lead was handed to sales.
    mappings = FieldMapping.objects.sent().exclude(source=FieldMapping.Source.CONSTANT)
    settled = 0
    try:
        check_account(crm, at)
        if links:
            settled = push_batch(PushBatch(crm, at, links, list(mappings.order_by("pk"))))
    except CrmPaced:
        return 0
    except CrmError as error:
        record_failure(crm, Breaker.Work.PUSH, error, at)
        return 0
    if links or not crm.room():  # else no request was sent that shows that the CRM works
        reset(crm, Breaker.Work.PUSH, at)
    return settled


def push_batch(telling: PushBatch) -> int:
    telling.known = load_contact_facts([link.pk for link in telling.links], telling.at)
    news = {
        link.pk: found for link in telling.links if (found := changed_properties(telling, link))
    }
    writes = build_writes(telling, news) if news else {}
    answers = dict(write_pushes(telling, writes)) if writes else {}
    reach("pushing.saved")
    return record_written(telling, writes, answers)


def changed_properties(telling: PushBatch, link: Link) -> Properties:
    """Return our values that differ from what we last wrote there."""
    known, words = telling.known[link.pk], telling.crm.lifecycle_words
    ours = {row.property: record_values.mapped_value(row, known, words) for row in telling.mappings}
    return {name: value for name, value in ours.items() if value != link.last_written.get(name, "")}


def build_writes(telling: PushBatch, news: Mapping[int, Properties]) -> dict[int, CrmContactWrite]:
    """Return the write for each record as it reads now; deleted records are left to the pull."""
    links = {link.record_id: link for link in telling.links if link.pk in news}
    names = [row.property for row in telling.mappings]
    records = telling.crm.contacts_by_id(list(links), names)
    writes = {
        link.pk: build_push_write(telling, link, record, news[link.pk])
        for record_id, link in links.items()
        if (record := records.get(record_id))
    }
    return {pk: write for pk, write in writes.items() if write.properties}


def build_push_write(
    telling: PushBatch, link: Link, record: CrmContact, news: Properties
) -> CrmContactWrite:
    """Return the changes that the mapping lets us write to the record as it reads now."""
    known, words = telling.known[link.pk], telling.crm.lifecycle_words
    allowed = record_values.record_properties(
        known, telling.mappings, words, record, link.last_known
    )
    told = {name: value for name, value in allowed.items() if name in news}
    return CrmContactWrite(str(link.pk), record.record_id, record.email, told)


def write_pushes(
    telling: PushBatch, writes: Mapping[int, CrmContactWrite]
) -> Mapping[str, CrmContact | CrmError]:
    """Write, and once more without rejected properties.

    Raise CrmDenied when the CRM denies access, and CrmUnexplained when it rejects all for a cause
    that is in no record.
    """
    answers = dict(telling.crm.save_contacts(list(writes.values())))
    unexplained = [each for each in answers.values() if isinstance(each, CrmUnexplained)]
    if unexplained and len(unexplained) == len(answers):
        raise unexplained[0]
    again = [
        drop_rejected_properties(telling, write, answer)
        for write in writes.values()
        if isinstance(answer := answers.get(write.trace), CrmRejected)
    ]
    if again := [write for write in again if write.properties]:
        answers |= telling.crm.save_contacts(again)
    for answer in answers.values():
        if isinstance(answer, CrmDenied):
            raise answer
    return answers


def drop_rejected_properties(
    telling: PushBatch, write: CrmContactWrite, refused: CrmRejected
) -> CrmContactWrite:
    """Return the write without the properties at fault; without all when the CRM does not name them.

    A value that another record has already can only be the address.
    """
    faults = {name: why for name, why in refused.properties.items() if name in write.properties}
    if refused.existing_id and not faults:
        taken = f"CRM record {refused.existing_id} has it already"
        own = telling.known[int(write.trace)].contact.email
        faults = {name: taken for name, text in write.properties.items() if text == own}
    telling.refused[int(write.trace)] = faults or dict.fromkeys(write.properties, str(refused))
    left = {
        name: value for name, value in write.properties.items() if faults and name not in faults
    }
    return CrmContactWrite(write.trace, write.record_id, write.email, left)


def record_written(
    telling: PushBatch,
    writes: Mapping[int, CrmContactWrite],
    answers: Mapping[str, CrmContact | CrmError],
) -> int:
    """Record what was written as ours from now on. What got no response is pushed again later."""
    told: dict[int, LastKnown] = {}
    done = []
    for link in telling.links:
        write, answer = writes.get(link.pk), answers.get(str(link.pk))
        refused = telling.refused.get(link.pk, {})
        if write and isinstance(answer, CrmContact):
            sent = {name: text for name, text in write.properties.items() if name not in refused}
            told[link.pk] = LastKnown(
                sent, record_values.kept_forms(telling.mappings, sent, answer)
            )
        if write is None or refused or isinstance(answer, CrmContact):
            done.append(push_row(telling, link, refused))
    record_written_properties(told)
    Push.objects.bulk_create(
        done,
        update_conflicts=True,
        unique_fields=["link"],
        update_fields=["at", "total", "grade", "refused"],
    )
    return len(done)


def record_written_properties(told: Mapping[int, LastKnown]) -> None:
    """Merge in the database: a handoff may be writing to the same record, and locks in the same order."""
    rows = [
        {"contact_id": pk, "last_written": written.sent, "kept_as": written.kept}
        for pk, written in told.items()
    ]
    with transaction.atomic():
        locked = Link.objects.select_for_update().filter(pk__in=told).order_by("pk")
        list(locked.values_list("pk"))
        bulk_sql.run_statement(WRITTEN, [bulk_sql.rows_as_json(rows)])


def push_row(telling: PushBatch, link: Link, refused: Properties) -> Push:
    score = telling.known[link.pk].score
    return Push(
        link=link,
        at=telling.at,
        total=score.total if score else 0.0,
        grade=score.grade if score else "",
        refused=refused,
    )


def recent_rejections(since: datetime) -> Sequence[Properties]:
    """Return what the CRM rejected recently, for the home page."""
    rows = Push.objects.filter(at__gt=since).exclude(refused={}).order_by("-at")
    return list(rows.values_list("refused", flat=True)[:100])
