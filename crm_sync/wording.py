"""What a rep reads: the task, and the texts on the record. Plain sentences, nothing to sell."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from crm_sync.dossier import Dossier, Run
from crm_sync.models import Handoff
from leadscoring.engine.wording import day, figure
from leadscoring.models import Activity

# Fields that say which page, form or mail it was, the most telling first.
DETAILS = ("url", "page", "path", "form", "title", "subject", "name", "link", "campaign")
LONGEST_SUBJECT = 255
LONGEST_TEXT = 65_536  # https://developers.hubspot.com: the most that a text property holds
LONGEST_DETAIL = 80
STRONGEST = 3
RUNS_TOLD = 3
ACTIVITIES_TOLD = 5
FITS_TOLD = 5


def subject(row: Handoff) -> str:
    """ "Hot lead: Ada Byron, Analytical Engines (score 82, A1)". Plain text."""
    company = row.contact.company
    where = f", {short(company.name, 80)}" if company and company.name else ""
    return f"Hot lead: {called(row)}{where} (score {row.total:.0f}, {row.grade})"[:LONGEST_SUBJECT]


def body(row: Handoff, known: Dossier) -> str:
    """The task's text as HTML, everything from outside escaped."""
    more = f'<a href="{escape(page(row))}">See all that is known of {escape(called(row))}</a>'
    parts = [
        section(introduction(row), strongest(row)),
        f"<p>{escape(fit(row))}</p>",
        section("Recently", activities(known)),
        section("Mail", sequences(known)),
        f"<p>{more}</p><p>ref {escape(row.reference)}</p>",
    ]
    return "".join(parts)


def section(heading: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<p>{escape(heading)}:</p><ul>{items}</ul>" if lines else ""


def introduction(row: Handoff) -> str:
    """ "Ada Byron, VP Engineering, reached a score of 82 (A1) on 4 May, mostly for"."""
    title = short(row.contact.job_title, 100)
    who = f"{called(row)}, {title}," if title else called(row)
    on = day(row.crossed_at, row.crossed_at)
    return f"{who} reached a score of {row.total:.0f} ({row.grade}) on {on}, mostly for"


def called(row: Handoff) -> str:
    contact = row.contact
    return short(contact.name or contact.email or contact.external_id or "", 120)


def strongest(row: Handoff) -> list[str]:
    """The reasons that weighed most at the crossing, in whole points."""
    by_points = sorted(row.reasons, key=lambda reason: -reason["points"])
    return [
        f"{said(reason, 300)} (+{reason['points']:.0f})"
        for reason in by_points[:STRONGEST]
        if reason["points"] > 0
    ]


def said(reason: dict[str, Any], longest: int) -> str:
    return short(reason.get("because") or reason.get("label") or reason["rule"], longest)


def reason_line(reason: dict[str, Any]) -> str:
    """ "Visited pricing 3 times, last on 4 May (+29.5)": these add up to the score."""
    sign = "−" if reason["points"] < 0 else "+"
    return f"{said(reason, 300)} ({sign}{figure(abs(reason['points']))})"


def fit(row: Handoff) -> str:
    """ "Fit A. Senior job title: VP Engineering; Very small company (−5)"."""
    reasons = [reason for reason in row.reasons if reason["group"] == "fit" and reason["points"]]
    if not reasons:
        return f"Fit {row.grade[:1]}. Little is known of the person and the company."
    told = [
        said(each, 120) + (f" (−{-each['points']:.0f})" if each["points"] < 0 else "")
        for each in reasons[:FITS_TOLD]
    ]
    return f"Fit {row.grade[:1]}. {'; '.join(told)}"


def all_reasons(known: Dossier) -> str:
    """Today's reasons of the score, one a line, strongest first."""
    contributions = known.score.contributions if known.score else []
    return text(reason_line(reason) for reason in contributions if reason["points"])


def activities(known: Dossier) -> list[str]:
    """ "4 May: page view, /pricing", newest first; what came several times that day is said once."""
    lines = dict.fromkeys(activity_line(activity, known) for activity in known.recent)
    return list(lines)[:ACTIVITIES_TOLD]


def activity_line(activity: Activity, known: Dossier) -> str:
    what = short(re.sub(r"[_\-.]+", " ", activity.type), LONGEST_DETAIL)
    which = detail(activity.properties)
    return f"{day(activity.occurred_at, known.at)}: {what}{f', {which}' if which else ''}"


def detail(properties: dict[str, Any]) -> str:
    """Which page, form or mail it was; an address by its path, for the rest may hold secrets."""
    for name in DETAILS:
        value = properties.get(name)
        if isinstance(value, str) and value.strip():
            return short(path(value), LONGEST_DETAIL)
    return ""


def path(value: str) -> str:
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return value
    return (
        (parts.path or "/") if parts.scheme in ("http", "https") or value.startswith("/") else value
    )


def sequences(known: Dossier) -> list[str]:
    """ "nurture: 3 mails sent, last on 4 May, paused", the latest sequence first."""
    return [run_line(run, known) for run in reversed(known.runs[-RUNS_TOLD:])]


def run_line(run: Run, known: Dossier) -> str:
    mails = "1 mail sent" if run.sent == 1 else f"{run.sent or 'no'} mails sent"
    last = f", last on {day(run.last_sent_at, known.at)}" if run.last_sent_at else ""
    because = (
        f" ({short(run.because, 200)})"
        if run.because and run.state in ("paused", "stopped")
        else ""
    )
    state = "still under way" if run.state == "active" else run.state
    return f"{short(run.sequence, 100)}: {mails}{last}, {state}{because}"


def page(row: Handoff) -> str:
    """Where a colleague with a log-in finds the contact here."""
    return f"{settings.BASE_URL}/admin/leadscoring/contact/{row.contact_id}/change/"


def text(lines: Iterable[str]) -> str:
    """Lines as one text property takes them."""
    return "\n".join(lines)[:LONGEST_TEXT]


def short(value: str, longest: int) -> str:
    """One printable line, cut where it is too long."""
    line = " ".join(
        "".join(sign if sign.isprintable() else " " for sign in value[: 4 * longest]).split()
    )
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
