"""Which columns of a file say that somebody is not to be mailed, and what a row says there."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadscoring.engine.lookups import number_of, truth_of
from leadscoring.intake.csv_import.titles import (
    BOUNCED,
    OTHERWISE,
    REASON,
    STATUS,
    UNWANTED,
    WANTED,
    normalize_title,
)
from leadscoring.intake.csv_import.values import TimeReader

UNSUBSCRIBED, REFUSED_MAIL = "unsubscribed", "bounced"  # names for --map
NAMED = (UNSUBSCRIBED, REFUSED_MAIL)


@dataclass(frozen=True, slots=True)
class Asked:
    """That a row wants no mail: `bounced`, what its cell says, and since when if it says that."""

    bounced: bool
    detail: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class WishColumn:
    """A column whose cells say so by being filled or true; with `status`, by a word such as "cleaned".

    `wishes_only`: bounces in it are single mails.
    """

    place: int
    title: str
    bounced: bool = False
    status: bool = False
    wishes_only: bool = False

    @property
    def speaks_for_rows(self) -> bool:
        """Whether an empty cell says that somebody does want mail. An empty reason says nothing."""
        return not REASON.search(normalize_title(self.title))

    def read(self, cell: str, times: TimeReader) -> Asked | None:
        word = normalize_title(cell)
        if not word or word in WANTED or truth_of(cell) is False or number_of(cell) == 0:
            return None
        detail = f"{self.title}: {cell.strip()}"
        if self.status:
            bounced = not UNWANTED.search(word) and bool(BOUNCED.search(word))
            unwanted = (bounced and not self.wishes_only) or UNWANTED.search(word)
            return Asked(bounced, detail) if unwanted and "soft" not in word else None
        return Asked(self.bounced, detail, read_time(cell, times))


def find_wish_columns(titles: Sequence[str], chosen: Mapping[str, int]) -> list[WishColumn]:
    """Return the columns that are named so, and those chosen as such. `chosen`: name -> place, by --map.

    A column that is chosen as something else is nothing but that.
    """
    named = [
        WishColumn(chosen[name], titles[chosen[name]], bounced=name == REFUSED_MAIL)
        for name in NAMED
        if name in chosen
    ]
    free = [(place, title) for place, title in enumerate(titles) if place not in chosen.values()]
    return [*named, *(one for place, title in free if (one := _wish_column(place, title)))]


def _wish_column(place: int, title: str) -> WishColumn | None:
    name = normalize_title(unicodedata.normalize("NFKC", title))
    if OTHERWISE.search(name):
        return None
    if STATUS.search(name):
        return WishColumn(place, title, status=True)
    if UNWANTED.search(name):
        return WishColumn(place, title)
    return WishColumn(place, title, bounced=True) if BOUNCED.search(name) else None


def strongest(asked: Iterable[Asked | None]) -> Asked | None:
    """Return the one to keep: a person's wish before a bounce, one with a time before one without."""
    found = [one for one in asked if one]
    return min(found, key=lambda one: (one.bounced, one.since is None), default=None)


def read_time(cell: str, times: TimeReader) -> datetime | None:
    """Return when somebody asked; None when it cannot be read, which matters less than that they did."""
    try:
        return times.read(cell)
    except ValueError:
        return None
