"""A row of a file as an item for intake, with its cells read as people write them; and its wishes for no mail."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadscoring.engine.lookups import Scalar, number_of
from leadscoring.engine.model import ScoringModel
from leadscoring.engine.rules import ActivityIs, ProfileIs, iter_leaves
from leadscoring.intake.csv_import.columns import Choices, Columns
from leadscoring.intake.csv_import.titles import BOUNCED, UNWANTED, normalize_title
from leadscoring.intake.csv_import.values import (
    TimeReader,
    addresses_in,
    choose_time_reader,
    decimal_sign,
    plain_thousands,
)
from leadscoring.intake.csv_import.wishes import (
    Asked,
    WishColumn,
    find_wish_columns,
    read_time,
    strongest,
)
from leadscoring.intake.validation import InvalidItem, normalize_email
from leadscoring.intake.wishes import MailWish

SHOWN = 3
COMPANY_SIZE = "company_size"


@dataclass(slots=True)
class Doubts:
    """Cells that were read in a way that somebody may want to know of: how many, and the first of them."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, what: str, example: str = "") -> None:
        self.counts[what] += 1
        shown = self.examples.setdefault(what, [])
        if example and len(shown) < SHOWN and example not in shown:
            shown.append(example[:60])

    def sentences(self) -> list[str]:
        return [self._sentence(what, number) for what, number in self.counts.items()]

    def _sentence(self, what: str, number: int) -> str:
        shown = ", ".join(self.examples[what])
        return f"{what}: {number:,} ({shown})." if shown else f"{what}: {number:,}."


@dataclass(slots=True)
class RowReader:
    columns: Columns
    wish_columns: Sequence[WishColumn]
    times: TimeReader
    decimals: Mapping[str, str]  # property that is a number -> the decimal sign of its column
    doubts: Doubts = field(default_factory=Doubts)

    def item(self, cells: Sequence[str]) -> dict[str, Any]:
        """Return a row as intake takes it; raise InvalidItem."""
        item = self.columns.item(cells)
        if "email" in item:
            item["email"], *others = addresses_in(item["email"])
            if others:
                self.doubts.add("Cells with several addresses, of which the first is taken")
        if "occurred_at" in item:
            try:
                item["occurred_at"] = self.times.read(item["occurred_at"]).isoformat()
            except ValueError as wrong:
                raise InvalidItem("occurred_at", str(wrong)) from None
        properties = item.get("properties", {})
        for name, sign in self.decimals.items():
            if name in properties:
                properties[name] = self._number(name, properties[name], sign)
        return item

    def _number(self, name: str, cell: str, sign: str) -> str:
        plain = plain_thousands(cell, sign)
        title = self.columns.titles[self.columns.properties[name]]
        if plain != cell:
            self.doubts.add(
                f"Numbers of {title!r} read as whole or decimal by their column",
                f"{cell} as {plain}",
            )
        if number_of(plain) is None:
            self.doubts.add(f"Cells of {title!r} that are no number to a rule", repr(cell))
        return plain

    def asked(self, cells: Sequence[str]) -> Asked | None:
        """Return what a row says of not being mailed, if it does."""
        return strongest(one.read(cells[one.place], self.times) for one in self.wish_columns)

    def addresses(self, cells: Sequence[str]) -> list[str]:
        """Return all addresses of a row that are any; the row may be refused for something else."""
        place = self.columns.fields.get("email")
        found = [] if place is None or not cells[place].strip() else addresses_in(cells[place])
        return [email for text in found if (email := _valid_address(text))]

    def wishes(self, cells: Sequence[str], at: datetime) -> list[MailWish]:
        asked = self.asked(cells)
        return wishes_of(self.addresses(cells), asked, at) if asked else []

    def listed_wishes(self, cells: Sequence[str], at: datetime) -> list[MailWish]:
        """Return the wishes of a row of a list of those who want no mail.

        A column that says yes or no, or since when, speaks for each row; without one every row is a
        wish. Raise InvalidItem when the row has no address.
        """
        emails = self.addresses(cells)
        if not emails:
            raise InvalidItem("email", "is not an e-mail address")
        asked = self.asked(cells)
        if asked is None and not any(one.speaks_for_rows for one in self.wish_columns):
            asked = Asked(False, "")
        return wishes_of(emails, self._with_reason(asked, cells), at) if asked else []

    def _with_reason(self, asked: Asked, cells: Sequence[str]) -> Asked:
        item = self.columns.item(cells)
        reason, word = item.get("reason", ""), normalize_title(item.get("reason", ""))
        bounced = bool(BOUNCED.search(word)) and not UNWANTED.search(word)
        since = asked.since
        if since is None and "occurred_at" in item:
            since = read_time(item["occurred_at"], self.times)
        return Asked(asked.bounced or bounced, reason or asked.detail, since)


def wishes_of(emails: Iterable[str], asked: Asked, at: datetime) -> list[MailWish]:
    since = min(asked.since or at, at)
    return [MailWish(email, asked.bounced, asked.detail, since) for email in emails]


def _valid_address(text: str) -> str:
    try:
        return normalize_email(text)
    except ValueError:
        return ""


def make_row_reader(
    columns: Columns, choices: Choices, sample: Sequence[Sequence[str]], *, of_activities: bool
) -> RowReader:
    """Find out from some rows how a file writes times and numbers, and who wants no mail.

    Raise UnreadableFile when it must be asked for.
    """

    def cells(place: int) -> list[str]:
        return [cell for row in sample if (cell := row[place].strip())]

    times = TimeReader(choices.zone, choices.time_form)
    place = columns.fields.get("occurred_at")
    if of_activities and place is not None:
        times = choose_time_reader(
            columns.titles[place], cells(place), choices.zone, choices.time_form
        )
    chosen = {name: place for name, place in columns.properties.items() if name in choices.columns}
    ignored = {f"#{place}": place for place in choices.ignored}
    wish_columns = find_wish_columns(columns.titles, {**columns.fields, **chosen, **ignored})
    if of_activities:
        place = columns.fields["type"]
        wish_columns.append(WishColumn(place, columns.titles[place], status=True, wishes_only=True))
    decimals = {
        name: choices.decimal or decimal_sign(cells(place))
        for name, place in columns.properties.items()
        if name in choices.numbers
    }
    return RowReader(columns, wish_columns, times, decimals)


def properties_of_rules(
    model: ScoringModel, *, of_activities: bool
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the properties that rules ask for, and those of them that they compare with a number."""
    kind = ActivityIs if of_activities else ProfileIs
    tests = [
        test
        for rule in model.rules
        for leaf in iter_leaves(rule.when)
        if isinstance(leaf, kind)
        for test in leaf.tests
    ]
    numbers = {test.path[0] for test in tests if any(map(_is_number, test.values))}
    own = set() if of_activities else {COMPANY_SIZE}
    return frozenset(test.path[0] for test in tests), frozenset(numbers | own)


def _is_number(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
