"""Report all traffic between us and the CRM, and whether a handoff would work now."""

from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

from django.utils.timezone import now
from rich.box import SIMPLE
from rich.console import Console as Page
from rich.table import Table
from rich.text import Text

from crm_sync import webhook_arrivals
from crm_sync.audit import Audit, run_audit
from crm_sync.connect import connect
from leadscoring.common.spans import format_age
from leadscoring.management.command import WRONG
from leadscoring.management.command import JsonCommand as Console

WIDTH = 160  # columns: the longest path, and its purpose beside it


class Command(Console):
    help = "What is asked of the CRM, sent and read there, and whether a handoff would work now."

    def run(self, **options: Any) -> int:
        found = run_audit(connect(), now())
        self.answer(found.as_dict(), audit_text(found))
        return 0 if found.works else WRONG


def audit_text(found: Audit) -> str:
    """Return problems first, each with what to do; then the current state; then the calls and fields."""
    text = StringIO()
    page = Page(file=text, width=WIDTH)
    page.print("Handoffs to sales work." if found.works else "HANDOFFS TO SALES DO NOT WORK.")
    for problem in found.problems:
        page.print(Text(f"\n{problem.severity}: {problem.what}\n  → {problem.fix}"))
    page.print(Text("\n" + "\n".join(standing_lines(found))))
    page.print(call_lines(found), field_lines("Sent", found.sent), field_lines("Read", found.read))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def standing_lines(found: Audit) -> Iterable[str]:
    for name, value in found.token.items():
        yield f"{'Token' if name == 'kind' else name.replace('_', ' ').capitalize()}: {value_text(value)}"
    budget = found.budget
    unit, window = str(budget["unit"]).capitalize(), budget["window_seconds"]
    if window:
        yield f"{unit} in the last {window:g} s: {known_text(budget['used'])} of {known_text(budget['allowed'])}"
    if budget["used_today"] is not None:
        yield f"{unit} today, ours: {known_text(budget['used_today'])} of {known_text(budget['allowed_today'])}"
    pulled = format_age(found.last_pull_at, found.at) if found.last_pull_at else "never"
    yield f"The CRM was last read: {pulled}"
    yield f"Webhooks: {webhook_arrivals.webhook_state(found.at)}"


def value_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def known_text(number: int | None) -> str:
    return "not known yet" if number is None else f"{number:,}"


def call_lines(found: Audit) -> Table:
    page = build_table("Calls", "Call", "Purpose", "Repeat", "Limit", "Until")
    for call in found.calls:
        until = f"{call.until:%Y-%m-%d}" if call.until else ""
        safe = "safe" if call.retry else "look first"
        page.add_row(f"{call.method} {call.path}", call.purpose, safe, call.limit, until)
    return page


def field_lines(heading: str, rows: Iterable[Mapping[str, Any]]) -> Table:
    page = build_table(heading, "Property", "Of", "Records")
    for row in rows:
        page.add_row(Text(row["name"]), row["record"], known_text(row["count"]))
    return page


def build_table(title: str, first: str, *others: str) -> Table:
    """Build a table whose first column is never cut: readers search for it."""
    page = Table(title=f"\n{title}", title_justify="left", box=SIMPLE)
    page.add_column(first, no_wrap=True)
    for other in others:
        page.add_column(other)
    return page
