"""What this app adds to pages of the lower one: sequences at home, on a contact's page, and enrolling."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Case, CharField, Count, OuterRef, Q, QuerySet, Subquery, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from leadscoring.admin import confirmation
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.common import format
from leadscoring.extensions import (
    ActivityUse,
    ContactAction,
    PageSection,
    activity_uses,
    contact_actions,
    contact_sections,
    home_sections,
    mail_bans,
)
from leadscoring.models import Contact, CrmFreshness
from sequences import enrolling
from sequences.admin.enrollments import enrollment_state
from sequences.admin.sequences import counts_by_sequence
from sequences.conditions import awaited_types
from sequences.contact_summary import hold_reason
from sequences.models import Delivery, Enrollment, Sequence, Suppression

MOST = 1_000
# Why a person wants no mail.
WISHES = (Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.CRM_OPT_OUT)


def sequences_on_home(user: Any, at: datetime) -> list[PageSection]:
    if not user.has_perm("sequences.view_sequence"):
        return []
    counts = counts_by_sequence(Enrollment.objects.open())
    rows = [
        {"sequence": one, "counts": counts.get(one.pk, {}), "url": format.change_url(one)}
        for one in Sequence.objects.current().order_by("-active", "name")[:6]
    ]
    return [PageSection(20, "Sequences", "admin/sequences/on_home.html", {"rows": rows})]


home_sections.add("sequences", sequences_on_home)


def sequences_on_contact(contact: Contact, user: Any, at: datetime) -> list[PageSection]:
    if not user.has_perm("sequences.view_enrollment"):
        return []
    sent = Count("deliveries", filter=Q(deliveries__state=Delivery.State.SENT))
    rows = Enrollment.objects.filter(contact=contact).with_what_the_gate_asks()
    as_of = CrmFreshness.oldest()
    told = [
        {
            "row": row,
            "state": enrollment_state(row),
            "url": format.change_url(row),
            "because": row.reason or hold_reason(row, as_of, at),
        }
        for row in rows.annotate(sent=sent).order_by("-pk")[:10]
    ]
    return [PageSection(20, "Sequences", "admin/sequences/on_contact.html", {"rows": told})]


contact_sections.add("sequences", sequences_on_contact)


def sequences_of_activities(user: Any, at: datetime) -> Iterator[ActivityUse]:
    if not user.has_perm("sequences.view_sequence"):
        return
    for sequence in Sequence.objects.current().filter(enter_when__has_key="activity"):
        for type_ in awaited_types(sequence.enter_when):
            yield ActivityUse(type_, f"Sequence: {sequence}", format.change_url(sequence))


activity_uses.add("sequences", sequences_of_activities)


def ban_word() -> Subquery:
    """Return the word for why an address is not written to: its person's wish, or another cause."""
    wish = When(reason__in=WISHES, then=Value("unsubscribed"))
    word = Case(wish, default=Value("do not mail"), output_field=CharField())
    return Subquery(Suppression.objects.filter(email=OuterRef("email")).values_list(word)[:1])


mail_bans.add("suppressions", ban_word)


def enroll_action(
    page: AppModelAdmin[Contact], request: HttpRequest, queryset: QuerySet[Contact]
) -> HttpResponse | None:
    """Let the chosen contacts into a sequence that is chosen on the way."""
    wanted = request.POST.get("choice", "")
    sequence = Sequence.objects.filter(pk=int(wanted)).first() if wanted.isdecimal() else None
    if not (confirmation.is_confirmed(request) and sequence):
        active = Sequence.objects.filter(active=True).order_by("name")
        return confirmation.render_confirmation(
            page, request, queryset, action="enroll_action", title="Add to a sequence",
            what_happens=f"They begin with its first mail, at most {MOST:,} people at once. Whoever "
            "has no address, unsubscribed, or whose deal forbids it is left out.",
            button="Add", choices=[(str(one.pk), one.name) for one in active],
        )  # fmt: skip
    entry = enrolling.enroll_contacts(sequence, queryset[:MOST], now(), request.user.get_username())
    page.message_user(
        request, _enroll_message(entry), messages.SUCCESS if entry.entered else messages.WARNING
    )
    return None


contact_actions.add(
    "enroll_action",
    ContactAction(enroll_action, "Add to a sequence…", "sequences.change_enrollment"),
)


def _enroll_message(entry: enrolling.EnrollResult) -> str:
    """ "3 entered; 2 did not: They are in this sequence already (2)"."""
    reasons: dict[str, int] = {}
    for one in entry.refused:
        reasons[one.reason] = reasons.get(one.reason, 0) + 1
    why = ", ".join(f"{reason} ({number})" for reason, number in reasons.items())
    return (
        f"{len(entry.entered)} entered"
        + (f"; {len(entry.refused)} did not: {why}" if why else "")
        + "."
    )
