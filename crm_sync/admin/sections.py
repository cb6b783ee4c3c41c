"""What this app adds to pages of the lower one: the funnel's last stops, handoffs, deals, and filters."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from crm_sync.account import account_time_zone
from crm_sync.admin.handoffs import handoff_state
from crm_sync.models import Deal, Handoff, Owner, RoutingRule
from crm_sync.routing.choose import RoutingTable
from crm_sync.routing.known_lead import lead_from_database
from leadscoring.access_log import note_people
from leadscoring.admin.filters import Contacts
from leadscoring.admin.model_admin import FilterQuestion
from leadscoring.common import format
from leadscoring.extensions import (
    FunnelStation,
    PageSection,
    contact_questions,
    contact_sections,
    home_sections,
)
from leadscoring.models import Contact, ModelVersion

LAST = 6


# --- filters of the list of contacts


def filter_hot(contacts: Contacts, at: datetime) -> Contacts:
    """Return contacts over the threshold now that were not handed to sales in this cycle."""
    threshold = ModelVersion.objects.in_force(at).model.thresholds.handoff
    told = Handoff.objects.delivered().filter(
        contact=OuterRef("pk"), cycle=OuterRef("score__cycle")
    )
    return contacts.filter(~Exists(told), score__total__gte=threshold)


def filter_handed_off(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(Exists(Handoff.objects.delivered().filter(contact=OuterRef("pk"))))


def filter_with_sales(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(Exists(open_deals().filter(contact_id=OuterRef("pk"))))


def filter_won(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(Exists(won_deals().filter(contact_id=OuterRef("pk"))))


def open_deals() -> QuerySet[Any]:
    """Return pairs of contacts and their open deals."""
    return Deal.contacts.through._default_manager.filter(deal__closed=False)


def won_deals() -> QuerySet[Any]:
    return Deal.contacts.through._default_manager.filter(deal__won=True)


contact_questions.add("hot", FilterQuestion("Hot, not handed off", filter_hot, place=1))
contact_questions.add(
    "handed-off", FilterQuestion("Handed off", filter_handed_off, pill=False, place=2)
)
contact_questions.add("with-sales", FilterQuestion("With sales", filter_with_sales, place=3))
contact_questions.add("won", FilterQuestion("Won", filter_won, place=4))


# --- home


def handoffs_on_home(user: Any, at: datetime) -> list[FunnelStation | PageSection]:
    if not user.has_perm("crm_sync.view_handoff"):
        return []
    return [
        *handoff_stations(),
        PageSection(10, "Last handoffs", "admin/crm_sync/on_home.html", {"rows": last_handoffs()}),
    ]


home_sections.add("handoffs", handoffs_on_home)


def handoff_stations() -> list[FunnelStation]:
    people = Count("contact", distinct=True)
    counts = Handoff.objects.aggregate(
        told=Count("contact", distinct=True, filter=Q(status=Handoff.Status.DELIVERED)),
        waiting=Count("pk", filter=Q(status=Handoff.Status.WAITING)),
        attention=Count("pk", filter=Q(status=Handoff.Status.NEEDS_ATTENTION)),
    )
    told = [(counts["waiting"], "on their way"), (counts["attention"], "to be looked after")]
    waiting = ", ".join(f"{number} {words}" for number, words in told if number)
    with_ = open_deals().aggregate(people=people)["people"]
    won_ = won_deals().aggregate(people=people)["people"]
    return [
        FunnelStation(
            40, "Handed off", counts["told"], format.list_url(Contact, ask="handed-off"), waiting
        ),
        FunnelStation(
            50, "With sales", with_, format.list_url(Contact, ask="with-sales"), "in an open deal"
        ),
        FunnelStation(60, "Won", won_, format.list_url(Contact, ask="won")),
    ]


def last_handoffs() -> list[dict[str, Any]]:
    rows = list(Handoff.objects.select_related("contact__company").order_by("-pk")[:LAST])
    note_people(row.contact_id for row in rows)
    return [
        {"row": row, "state": handoff_state(row), "url": format.change_url(row)} for row in rows
    ]


# --- a contact's page


def handoffs_on_contact(contact: Contact, user: Any, at: datetime) -> list[PageSection]:
    if not user.has_perm("crm_sync.view_handoff"):
        return []
    rows = list(contact.handoffs.order_by("-cycle")[:10])
    owners = {owner.owner_id: owner for owner in Owner.objects.all()}
    told = [
        {
            "row": row,
            "state": handoff_state(row),
            "url": format.change_url(row),
            "rep": owners.get(row.owner_id) or row.owner_id,
        }
        for row in rows
    ]
    shows = {"rows": told, "next_rep": predict_rep(contact, list(owners.values()), at)}
    return [PageSection(10, "Handoffs to sales", "admin/crm_sync/on_contact.html", shows)]


contact_sections.add("handoffs", handoffs_on_contact)


def predict_rep(contact: Contact, owners: list[Owner], at: datetime) -> str:
    """Return which rep would get this lead if it were handed off now, and why."""
    rules = RoutingRule.objects.in_force()
    routing = RoutingTable(rules, owners, account_time_zone())
    choice = routing.choose(lead_from_database(contact, rules), at)
    return f"{choice.owner or 'nobody'} ({choice.reason})"
