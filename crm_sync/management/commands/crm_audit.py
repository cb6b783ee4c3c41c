"""The whole of what passes between us and the CRM, and whether a handoff would work now."""

from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

from django.utils.timezone import now
from rich.console import Console as Page
from rich.table import Table
from rich.text import Text

from crm_sync.audit import Audit, audit
from crm_sync.connect import connect
from leadscoring.console import WRONG
from leadscoring.console import Command as Console
from leadscoring.shown import ago

WIDTH = 120


class Command(Console):
    help = "What is asked of the CRM, sent and read there, and whether a handoff would work now."

    def run(self, **options: Any) -> int:
        found = audit(connect(), now())
        self.answer(found.as_dict(), as_text(found))
        return 0 if found.works else WRONG


def as_text(found: Audit) -> str:
    """Problems first, each with what to do; then how it stands; then the calls and fields."""
    text = StringIO()
    page = Page(file=text, width=WIDTH)
    page.print("Handoffs to sales work." if found.works else "HANDOFFS TO SALES DO NOT WORK.")
    for problem in found.problems:
        page.print(Text(f"\n{problem.severity}: {problem.what}\n  → {problem.fix}"))
    page.print(Text("\n" + "\n".join(standing(found))))
    page.print(calls(found), fields("Sent", found.sent), fields("Read", found.read))
    return text.getvalue().rstrip()


def standing(found: Audit) -> Iterable[str]:
    for name, value in found.token.items():
        yield f"{name.replace('_', ' ').capitalize()}: {value}"
    used, allowed = found.budget["used_in_10s"], found.budget["allowed_in_10s"]
    yield f"Requests in the last 10 s: {known(used)} of {known(allowed)}"
    used, allowed = found.budget["used_today"], found.budget["allowed_today"]
    yield f"Requests today: {known(used)} of {known(allowed)}"
    pulled = ago(found.last_pull_at, found.at) if found.last_pull_at else "never"
    yield f"The CRM was last read: {pulled}"
    yield f"Webhooks: {'on' if found.webhooks else 'off, changes are found by asking'}"


def known(number: int | None) -> str:
    return "not known yet" if number is None else f"{number:,}"


def calls(found: Audit) -> Table:
    table = Table(
        "Call", "Purpose", "Repeat", "Limit", "Until", title="\nCalls", title_justify="left"
    )
    for call in found.calls:
        until = f"{call.until:%Y-%m-%d}" if call.until else ""
        safe = "safe" if call.retry else "look first"
        table.add_row(f"{call.method} {call.path}", call.purpose, safe, call.limit, until)
    return table


def fields(heading: str, rows: Iterable[Mapping[str, Any]]) -> Table:
    table = Table("Of", "Property", "Records", title=f"\n{heading}", title_justify="left")
    for row in rows:
        table.add_row(row["record"], Text(row["name"]), known(row["count"]))
    return table
