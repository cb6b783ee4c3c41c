"""A lead's page for its rep: opened by the signed link of the task, without a log-in. Read-only.

It shows what the task shows, then and now, and nothing else: no other person, no mails, no notes.
"""

import re
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm_sync.mapping import task_text
from crm_sync.mapping.contact_facts import ContactFacts, load_contact_facts
from crm_sync.mapping.lead_link import read_lead_link
from crm_sync.models import Handoff
from leadscoring.access_log import note_people
from leadscoring.common.format import format_number
from leadscoring.engine.wording import format_day

PAGE = "pages/lead.html"
MOST_REASONS = 20
# What can be dialled at the beginning of a phone number, up to words such as "ext. 12".
DIALLED = re.compile(r"\+?[\d\s().\-/]+")
# A zero for calls within the country, which is not dialled after the country's code.
TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")
# The page needs nothing but its own styles; what it says is for its reader alone.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


@require_safe
@never_cache
def show_lead(request: HttpRequest, contact_id: int, token: str) -> HttpResponse:
    """Answer 404 to an altered link, and 410 to one that has ended or whose person was erased."""
    at, link = now(), read_lead_link(contact_id, token)
    if link is None:
        return render_page(request, {"problem": "invalid"}, 404)
    row = Handoff.objects.select_related("contact__company").filter(pk=link.handoff_id).first()
    if row and link.ends_at <= at:
        until = format_day(link.ends_at, at)
        ended = {"problem": "ended", "reference": row.reference, "day": until}
        return render_page(request, ended, 410)
    context = lead_context(row, at) if row else None
    if context is None:
        return render_page(request, {"problem": "erased"}, 410)
    note_people([context["contact_id"]])
    return render_page(request, context)


def render_page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    _, asked = parseaddr(settings.DEFAULT_FROM_EMAIL)
    response = render(request, PAGE, {"ask": asked, **context}, status=status)
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response


def lead_context(row: Handoff, at: datetime) -> dict[str, Any] | None:
    """Return what a rep may know of one person: of a merged one, of the person who was kept.

    None when the person was erased a moment ago.
    """
    then, known = (
        load_contact_facts([row.contact_id], each).get(row.contact_id)
        for each in (row.crossed_at, at)
    )
    if then is None or known is None:
        return None
    phone = row.contact.phone
    return {
        "contact_id": row.contact_id,
        "name": task_text.display_name(row),
        "role": task_text.role_of(row.contact),
        "phone": phone,
        "phone_link": phone_link(phone),
        "email": row.contact.email,
        "day": format_day(row.crossed_at, at),
        "score": format_number(row.total),
        "grade": row.grade,
        "reasons": reason_lines(row.reasons),
        "before": task_text.activity_lines(then),
        "since": task_text.activity_lines(since_handoff(known, row.crossed_at)),
        "today": score_today(known),
        "reference": row.reference,
    }


def since_handoff(known: ContactFacts, crossed_at: datetime) -> ContactFacts:
    recent = [activity for activity in known.recent if activity.occurred_at > crossed_at]
    return ContactFacts(known.contact, known.score, known.at, recent)


def score_today(known: ContactFacts) -> dict[str, Any] | None:
    """Return the present score and its reasons; None when there is none."""
    score = known.score
    if score is None:
        return None
    return {
        "score": format_number(score.total),
        "grade": score.grade,
        "disqualified": score.disqualified,
        "reasons": [task_text.reason_text(each, 300) for each in score.contributions[:1]]
        if score.disqualified
        else reason_lines(score.contributions),
    }


def reason_lines(reasons: list[dict[str, Any]]) -> list[str]:
    """Return the reasons in whole points, the most points first; those against come last."""
    by_points = sorted(reasons, key=lambda reason: -reason["points"])
    told = [each for each in by_points if abs(each["points"]) > 0.5]
    return [task_text.in_whole_points(each, 300) for each in told[:MOST_REASONS]]


def phone_link(phone: str) -> str:
    """Return "tel:+49301234567" of "+49 (0)30 1234567"; "" when it is not a number to dial."""
    found = DIALLED.match(phone)
    dialled = found.group() if found else ""
    if dialled.startswith("+"):
        dialled = TRUNK_ZERO.sub("", dialled)
    number = re.sub(r"[^+\d]", "", dialled)
    # ITU-T E.164: at most 15 digits.
    return f"tel:{number}" if re.fullmatch(r"\+?[0-9]{3,15}", number) else ""
