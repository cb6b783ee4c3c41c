"""The texts that a rep reads: the task, and the texts on the record. Plain sentences, no marketing."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

from crm_sync.mapping.contact_facts import ContactFacts, SequenceRun
from crm_sync.mapping.lead_link import contact_pages, lead_url, link_ends_at
from crm_sync.models import Handoff
from crm_sync.port import Block, BulletList, Paragraph, TaskText
from leadscoring.common.text import bounded_line
from leadscoring.engine.wording import format_day, format_figure
from leadscoring.models import Activity, Contact

# Fields that identify the page, form or mail, the most specific first.
DETAILS = ("url", "page", "path", "form", "title", "subject", "name", "link", "campaign")
LONGEST_SUBJECT = 255
# Characters that a text property of any CRM holds: docs/adding-a-crm.md.
LONGEST_PROPERTY = 32_000
LONGEST_DETAIL = 80
STRONGEST = 3
RUNS_TOLD = 3
ACTIVITIES_TOLD = 5
FITS_TOLD = 5
AGAINST_TOLD = 3

# The words before the reason in a task that we have closed.
NOTHING_LEFT = "Nothing to do any more:"
# Marks our text, to detect that a person has changed it. It is in the link's fragment, out of sight.
# `TaskText.words` leaves fragments out.
MARK = "#text-"
# The engine's words on points above a limit: a fact about the model, not about the person. Scores and
# handoffs that are stored may still say cap.
CUT = re.compile(r", [\d.,]+ points? above the (?:limit|cap) of [\d.,]+ not counted$")


def task_subject(row: Handoff) -> str:
    """Return, in plain text, "Hot lead: Ada Byron, Analytical Engines (score 82, A1)"."""
    company = row.contact.company
    where = f", {bounded_line(company.name, 80)}" if company and company.name else ""
    return f"Hot lead: {display_name(row)}{where} (score {row.total:.0f}, {row.grade})"[
        :LONGEST_SUBJECT
    ]


def task_body(row: Handoff, known: ContactFacts, form: type[TaskText]) -> TaskText:
    """Return the task's text in the form that the CRM stores, with our mark in its link."""
    link = lead_url(row, known.at)
    unmarked = form.render(task_blocks(row, known, link))
    mark = f"{MARK}{text_digest(unmarked)}"
    return form.render(task_blocks(row, known, link + mark))


def task_blocks(row: Handoff, known: ContactFacts, link: str) -> Iterator[Block]:
    yield Paragraph(ways_to_reach(row.contact))
    if reasons := strongest_reasons(row):
        yield BulletList(introduction(row), reasons)
    else:
        yield Paragraph(f"{introduction(row)}.")
    if against := negative_reasons(row):
        yield BulletList("Against it", against)
    yield Paragraph(fit_line(row))
    if recent := activity_lines(known):
        yield BulletList("Recently", recent)
    else:
        yield Paragraph("Nothing is known of what they did.")
    if mails := sequence_lines(known):
        yield BulletList("Mail", mails)
    until = format_day(link_ends_at(known.at), known.at)
    yield Paragraph(f"More about {display_name(row)} (opens without a log-in until {until})", link)
    yield Paragraph(f"ref {row.reference}")


def ways_to_reach(contact: Contact) -> str:
    """Return "Call +49 30 1234567 or write to ada@engines.example"."""
    phone, email = bounded_line(contact.phone, 40), contact.email
    if phone:
        return f"Call {phone} or write to {email}" if email else f"Call {phone}"
    if email:
        return f"Write to {email} (no phone number is known)"
    return "No phone number and no e-mail is known"


def is_unedited(there: TaskText) -> bool:
    """Return whether a task's text is as we wrote it: one word of a person makes it the person's.

    A CRM may write the same text with other mark-up, so the words alone count.
    """
    mark = f"{MARK}{text_digest(there)}"
    return any(address.endswith(mark) for address in there.links())


def text_digest(body: TaskText) -> str:
    """Return a checksum of a text's words: eight hexadecimal digits."""
    return f"{crc32(without_spaces(body.words()).encode('utf-8', 'replace')):08x}"


def without_spaces(text: str) -> str:
    return "".join(text.split())


def closed_body(reason: str, there: TaskText) -> TaskText:
    """Return the text of a closed task: the reason, then the former text."""
    return there.prepend(Paragraph(f"{NOTHING_LEFT} {bounded_line(reason, 500)}"))


def is_closed_body(there: TaskText) -> bool:
    """Return whether it is the text of a task that we closed, not of a contact named like our words."""
    words = without_spaces(there.words())
    return words.startswith(without_spaces(NOTHING_LEFT)) and not is_unedited(there)


def leads_here(there: TaskText, contact_id: int | None = None) -> bool:
    """Return whether a task's text links to a contact's page here: to that of one, if it is named."""
    return any(address.startswith(contact_pages(contact_id)) for address in there.links())


def strip_score(subject: str) -> str:
    """Return "Hot lead: Ada Byron, Engines" of a subject that ends in "(score 82, A1)"."""
    line = " ".join(subject.split())
    return line.rpartition(" (score ")[0] or line


def introduction(row: Handoff) -> str:
    """Return "When handed over on 4 May, Ada Byron (VP Engineering, Engines) had a score of 82".

    The reasons follow. A task whose text is brought up to date was handed over before.
    """
    day = format_day(row.crossed_at, row.crossed_at)
    when = f"On {day}" if row.delivered_at else f"When handed over on {day}"
    role = role_of(row.contact)
    who = f"{display_name(row)} ({role})" if role else display_name(row)
    return f"{when}, {who} had a score of {row.total:.0f}"


def role_of(contact: Contact) -> str:
    """Return "VP Engineering, Engines"; "" when neither is known."""
    company = contact.company.name if contact.company else ""
    return ", ".join(filter(None, [bounded_line(contact.job_title, 80), bounded_line(company, 80)]))


def display_name(row: Handoff) -> str:
    contact = row.contact
    return bounded_line(contact.name or contact.email or contact.external_id or "", 120)


def strongest_reasons(row: Handoff) -> list[str]:
    """Return the reasons with the most points at the crossing, in whole points."""
    by_points = sorted(row.reasons, key=lambda reason: -reason["points"])
    return [in_whole_points(each, 300) for each in by_points[:STRONGEST] if each["points"] > 0.5]


def negative_reasons(row: Handoff) -> list[str]:
    """Return the activities that cost points, the most first. The profile's are in the fit line."""
    by_points = sorted(row.reasons, key=lambda reason: reason["points"])
    done = [each for each in by_points if each["group"] != "fit" and each["points"] < -0.5]
    return [in_whole_points(each, 300) for each in done[:AGAINST_TOLD]]


def in_whole_points(reason: dict[str, Any], longest: int) -> str:
    """Return "Visited pricing 3 times, last on 4 May (+30)"."""
    sign = "−" if reason["points"] < 0 else "+"
    return f"{reason_text(reason, longest)} ({sign}{abs(reason['points']):.0f})"


def reason_text(reason: dict[str, Any], longest: int) -> str:
    sentence = reason.get("because") or reason.get("label") or reason["rule"]
    return bounded_line(CUT.sub("", sentence), longest)


def reason_line(reason: dict[str, Any]) -> str:
    """Return "Visited pricing 3 times, last on 4 May (+29.5)": these points add up to the score."""
    sign = "−" if reason["points"] < 0 else "+"
    return f"{reason_text(reason, 300)} ({sign}{format_figure(abs(reason['points']))})"


def fit_line(row: Handoff) -> str:
    """Return "Fit A, engagement 1 on that day (A and 1 are best). Senior job title: CTO; Small (−5)"."""
    by_points = sorted(row.reasons, key=lambda reason: -reason["points"])
    reasons = [reason for reason in by_points if reason["group"] == "fit" and reason["points"]]
    grades = f"Fit {row.grade[:1]}, engagement {row.grade[1:]} on that day (A and 1 are best)"
    if not reasons:
        return f"{grades}. Nothing known of the person or the company counts as fit."
    told = [
        in_whole_points(each, 120) if each["points"] < 0 else reason_text(each, 120)
        for each in reasons[:FITS_TOLD]
    ]
    return f"{grades}. {'; '.join(told)}"


def all_reasons(known: ContactFacts) -> str:
    """Return the current reasons of the score, one a line, strongest first; or what disqualifies."""
    if known.score is None:
        return ""
    if known.score.disqualified:
        return text_property(reason_text(reason, 300) for reason in known.score.contributions)
    return text_property(
        reason_line(reason) for reason in known.score.contributions if reason["points"]
    )


def activity_lines(known: ContactFacts) -> list[str]:
    """Return lines such as "4 May: page view /pricing", newest first, without a day's repetitions."""
    lines = dict.fromkeys(activity_line(activity, known) for activity in known.recent)
    return list(lines)[:ACTIVITIES_TOLD]


def activity_line(activity: Activity, known: ContactFacts) -> str:
    what = bounded_line(re.sub(r"[_\-.]+", " ", activity.type), LONGEST_DETAIL)
    which = activity_detail(activity.properties)
    return f"{format_day(activity.occurred_at, known.at)}: {what}{f' {which}' if which else ''}"


def activity_detail(properties: dict[str, Any]) -> str:
    """Return "/pricing" or "“Welcome”": the page, form or mail of an activity; "" when unknown.

    An address is cut to its path, for the rest may hold secrets.
    """
    for name in DETAILS:
        value = properties.get(name)
        if isinstance(value, str) and value.strip():
            told = bounded_line(url_path(value), LONGEST_DETAIL)
            return told if told.startswith("/") else f"“{told}”"
    return ""


def url_path(value: str) -> str:
    """Return "/pricing" of a web address; its host when it is the home page."""
    try:
        parts = urlsplit(value.strip())
        host = parts.hostname
    except ValueError:
        return value
    if parts.scheme in ("http", "https"):
        return parts.path if len(parts.path) > 1 else host or value
    return parts.path if value.startswith("/") else value


def sequence_lines(known: ContactFacts) -> list[str]:
    """Return lines such as "nurture: 3 mails sent, last on 4 May, paused", the latest sequence first."""
    return [run_line(run, known) for run in reversed(known.runs[-RUNS_TOLD:])]


def run_line(run: SequenceRun, known: ContactFacts) -> str:
    mails = "1 mail sent" if run.sent == 1 else f"{run.sent or 'no'} mails sent"
    last = f", last on {format_day(run.last_sent_at, known.at)}" if run.last_sent_at else ""
    reason = (
        f" ({bounded_line(run.reason, 200)})"
        if run.reason and run.state in ("paused", "stopped")
        else ""
    )
    state = "still under way" if run.state == "active" else run.state
    return f"{bounded_line(run.sequence, 100)}: {mails}{last}, {state}{reason}"


def text_property(lines: Iterable[str]) -> str:
    """Join lines for one text property, truncated to LONGEST_PROPERTY characters."""
    return "\n".join(lines)[:LONGEST_PROPERTY]
