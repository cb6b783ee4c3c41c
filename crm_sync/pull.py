"""What sales did in the CRM: mirrored here, and turned into the neutral CRM state of contacts."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from crm_sync import mapping
from crm_sync.account import ask_account
from crm_sync.effects import deals_by_contact, stages_by_id, verdict
from crm_sync.holding import lift, strike
from crm_sync.mirroring import mirror_deals, mirror_owners, mirror_stages
from crm_sync.models import Account, FieldMapping, Handoff, Hold, Link, Owner, PullReport
from crm_sync.port import Crm, CrmContact, CrmDeal, CrmError, CrmPaced
from leadscoring import crm_state
from leadscoring.models import Contact, CrmFreshness, CrmState, Effect, Lifecycle
from leadscoring.scoring import chunks
from sequences.models import Enrollment

CHUNK = 500
# Any number that nobody else in this database locks.
LOCK = 0x1EAD_5C0E
Watch = Callable[[Iterator[int]], Iterable[int]]
DELETED = "The contact's record was deleted in the CRM"


@dataclass(slots=True)
class Look:
    """What the CRM answered about some contacts. `records`, `deals`: by contact id."""

    ids: list[int]
    records: dict[int, CrmContact] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    deals: dict[int, Sequence[CrmDeal]] = field(default_factory=dict)


def pull(crm: Crm, at: datetime, watch: Watch = iter) -> PullReport | None:
    """Read what the CRM says of everybody we have to do with, and apply it.

    `watch` sees the number of contacts of each chunk go by. Answers how it went, with the cause in `error` when it failed; None when another pull runs.
    Freshness moves to `at` only after everything was applied.
    """
    with alone() as mine:
        if not mine:
            return None
        report = PullReport(started_at=at)
        try:
            apply_all(crm, at, report, watch)
            lift(crm, Hold.Work.PULL)
        except CrmPaced as paced:
            report.error = str(paced)
        except CrmError as error:
            report.error = str(error)[:1000]
            strike(crm, Hold.Work.PULL, error, at)
        except Exception as fault:
            report.error = (
                f"A fault in this program ({type(fault).__name__}): the worker's log says where."
            )
            raise
        finally:
            PullReport.objects.bulk_create(
                [report],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["started_at", "finished_at", "contacts", "deals", "error"],
            )
        return report


@contextmanager
def alone(lock: int = LOCK) -> Iterator[bool]:
    """Hold one lock, that of pulls, which PostgreSQL gives back when this process dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        (mine,) = cursor.fetchone() or (False,)
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])


def apply_all(crm: Crm, at: datetime, report: PullReport, watch: Watch) -> None:
    account = ask_account(crm, at)
    stages, owners = crm.stages(), crm.owners()
    with transaction.atomic():
        mirror_stages(stages)
        mirror_owners(owners, at)
    report.contacts = sum(watch(chunk_by_chunk(crm, account, at, report)))
    crm_state.forget_older(at)
    crm_state.applied_up_to(dict.fromkeys(CrmFreshness.Kind.values, at))


def chunk_by_chunk(crm: Crm, account: Account, at: datetime, report: PullReport) -> Iterator[int]:
    for ids in chunks(people(), CHUNK):
        report.deals += apply(crm, account, look(crm, ids), at)
        yield len(ids)


def people() -> QuerySet[Contact]:
    """Everybody whose state in the CRM matters here: known there, mailed here, or on the way."""
    enrolled = Enrollment.objects.open().filter(contact=OuterRef("pk"))
    waiting = Handoff.objects.waiting().filter(contact=OuterRef("pk"))
    return Contact.objects.filter(Q(link__isnull=False) | Exists(enrolled) | Exists(waiting))


def look(crm: Crm, ids: Collection[int]) -> Look:
    """Ask about contacts, by record id where that is known, else by address. No writing here.

    One whose record was deleted is asked for by address too: a person may have made it anew.
    """
    contacts = Contact.objects.select_related("link").in_bulk(list(ids))
    linked = {pk: row.link.record_id for pk, row in contacts.items() if hasattr(row, "link")}
    by_id = crm.contacts_by_id(list(linked.values()), []) if linked else {}
    found = Look(list(contacts))
    found.records = {pk: by_id[record_id] for pk, record_id in linked.items() if record_id in by_id}
    found.gone = linked.keys() - found.records.keys()
    emails = {
        row.email: pk for pk, row in contacts.items() if row.email and pk not in found.records
    }
    by_email = crm.contacts_by_email(list(emails), []) if emails else {}
    found.records |= {pk: by_email[email] for email, pk in emails.items() if email in by_email}
    record_ids = {pk: record.record_id for pk, record in found.records.items()}
    deals = crm.deals_of(list(record_ids.values())) if record_ids else {}
    found.deals = {pk: deals.get(record_ids[pk], ()) if pk in record_ids else () for pk in contacts}
    return found


def apply(crm: Crm, account: Account, found: Look, at: datetime) -> int:
    """Write down one look in one transaction; answers the number of deals."""
    with transaction.atomic():
        locked = (
            Contact.objects.select_for_update(of=("self",)).order_by("pk").filter(pk__in=found.ids)
        )
        contacts = {contact.pk: contact for contact in locked}
        made_since = link(account, found, contacts, at)
        ids = [pk for pk in contacts if pk not in made_since]
        deals = mirror_deals({pk: found.deals[pk] for pk in ids}, at)
        raise_lifecycle(found.records)
        crm_state.put(states(crm, found, ids, at), at)
    return deals


def link(account: Account, found: Look, contacts: Mapping[int, Contact], at: datetime) -> set[int]:
    """Which contact is which record. A record that is another contact's already stays theirs.

    Answers the contacts that the CRM did not know and whom a handoff has linked since: what is
    known of them is newer than this look.
    """
    links = Link.objects.in_bulk(list(contacts))
    record_ids = [record.record_id for record in found.records.values()]
    taken = Link.objects.filter(portal_id=account.portal_id, record_id__in=record_ids)
    holders = dict(taken.values_list("record_id", "contact_id"))
    fresh = []
    mappings = list(FieldMapping.objects.filter(enabled=True))
    for pk, record in found.records.items():
        if pk in contacts and holders.setdefault(record.record_id, pk) == pk:
            fresh.append(link_row(account, contacts[pk], record, mappings, at))
    Link.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["contact"],
        update_fields=[
            "record_id",
            "owner_id",
            "lifecycle_stage",
            "lead_status",
            "opted_out",
            "seen_at",
            "gone_at",
        ],
    )
    Link.objects.filter(contact__in=found.gone - found.records.keys(), gone_at=None).update(
        gone_at=at
    )
    return links.keys() - found.records.keys() - found.gone


def link_row(
    account: Account,
    contact: Contact,
    record: CrmContact,
    mappings: Sequence[FieldMapping],
    at: datetime,
) -> Link:
    """`written` counts for a new link only: afterwards it is the handoff's to say."""
    return Link(
        contact=contact,
        written=mapping.address_found_by(mappings, record, contact.email),
        portal_id=account.portal_id,
        record_id=record.record_id,
        owner_id=record.owner_id[:64],
        lifecycle_stage=record.lifecycle_stage[:100],
        lead_status=record.lead_status[:100],
        opted_out=record.opted_out,
        seen_at=at,
    )


def raise_lifecycle(records: Mapping[int, CrmContact]) -> None:
    """Sales moves people on; what is further there becomes ours. One query for each stage."""
    for place, stage in enumerate(Lifecycle):
        there = [pk for pk, record in records.items() if record.lifecycle_stage == stage]
        behind = list(Lifecycle)[:place]
        if there and behind:
            Contact.objects.filter(pk__in=there, lifecycle_stage__in=behind).update(
                lifecycle_stage=stage
            )


def states(crm: Crm, found: Look, ids: Collection[int], at: datetime) -> Iterator[CrmState]:
    deals, stages = deals_by_contact(ids), stages_by_id()
    owners = {owner.owner_id: owner for owner in Owner.objects.all()}
    for pk in ids:
        record = found.records.get(pk)
        if record is None:
            yield nobody(pk, gone=pk in found.gone, at=at)
            continue
        effect = verdict(deals[pk], stages)
        owner = owners.get(record.owner_id)
        yield CrmState(
            contact_id=pk,
            record_id=record.record_id,
            record_url=crm.contact_url(record.record_id),
            owner_id=record.owner_id,
            owner_name=owner.name if owner else "",
            owner_email=owner.email if owner else "",
            effect=effect.effect,
            because=effect.because,
            deals=list(effect.deals),
            opted_out=record.opted_out,
            since=at,
            seen_at=at,
        )


def nobody(contact_id: int, *, gone: bool, at: datetime) -> CrmState:
    """The CRM was asked and has no record. One that was deleted there holds mail: it may be an erasure."""
    effect, because = (Effect.PAUSE, DELETED) if gone else (Effect.NONE, "")
    return CrmState(contact_id=contact_id, effect=effect, because=because, since=at, seen_at=at)
