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


def subject(row: Handoff) -> str:
    """ "Hot lead: Ada Lovelace, Analytical Engines (score 82, A1)". Plain text."""
    contact = row.contact
    who = short(contact.name or contact.email or contact.external_id or "", 120)
    company = (
        f", {short(contact.company.name, 80)}" if contact.company and contact.company.name else ""
    )
    return f"Hot lead: {who}{company} (score {figure(row.total)}, {row.grade})"[:LONGEST_SUBJECT]


def body(row: Handoff, known: Dossier) -> str:
    """The task's text as HTML, everything from outside escaped."""
    parts = [
        f"<p>{escape(introduction(row))}</p>",
        f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in strongest(row))}</ul>",
        f"<p>{escape(fit(row, known))}</p>",
        section("Recently", activities(known)),
        section("Mail", sequences(known)),
        f'<p><a href="{escape(page(row))}">All that is known of {escape(called(row))}</a></p>',
        f"<p>ref {escape(row.reference)}</p>",
    ]
    return "".join(part for part in parts if part)


def section(heading: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<p>{heading}:</p><ul>{items}</ul>" if lines else ""


def introduction(row: Handoff) -> str:
    """ "Ada Lovelace, VP Engineering, reached a score of 82 (A1) on 4 May, mostly for:"."""
    contact = row.contact
    title = f", {short(contact.job_title, 100)}," if contact.job_title else ""
    reached = f"reached a score of {figure(row.total)} ({row.grade}) on {day(row.crossed_at, row.crossed_at)}"
    return f"{called(row)}{title} {reached}, mostly for:"


def called(row: Handoff) -> str:
    contact = row.contact
    return short(contact.name or contact.email or contact.external_id or "this contact", 120)


def strongest(row: Handoff) -> list[str]:
    """The reasons that weighed most at the crossing, each with its points."""
    by_points = sorted(row.reasons, key=lambda reason: -reason["points"])
    return [reason_line(reason) for reason in by_points[:STRONGEST] if reason["points"] > 0]


def reason_line(reason: dict[str, Any]) -> str:
    """ "Visited pricing 3 times, last on 4 May: +30"."""
    sign = "+" if reason["points"] > 0 else "−" if reason["points"] < 0 else ""
    said = reason.get("because") or reason.get("label") or reason["rule"]
    return f"{short(said, 300)}: {sign}{figure(abs(reason['points']))}"


def fit(row: Handoff, known: Dossier) -> str:
    """ "Fit A: Senior job title: VP; Company size: 200"."""
    reasons = [r for r in row.reasons if r["group"] == "fit" and r["points"] > 0]
    if not reasons:
        return f"Fit {row.grade[:1]}: little is known of the person and the company."
    said = "; ".join(short(r.get("because") or r["label"], 120) for r in reasons[:4])
    return f"Fit {row.grade[:1]}: {said}"


def all_reasons(known: Dossier) -> str:
    """Today's reasons of the score, one a line, strongest first."""
    contributions = known.score.contributions if known.score else []
    return text(reason_line(reason) for reason in contributions if reason["points"])


def activities(known: Dossier) -> list[str]:
    """ "4 May: page view, /pricing", newest first; what came several times in a row is said once."""
    lines: list[str] = []
    for activity in known.recent:
        line = activity_line(activity, known)
        if line not in lines:
            lines.append(line)
    return lines


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
