"""Items that were not taken, each with its place in the batch, the field and the reason."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from leadscoring.intake.validation import InvalidItem

Item = TypeVar("Item")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Rejection:
    index: int
    field: str
    message: str


def split_rejected(
    items: Iterable[tuple[int, Item]], take: Callable[[Item], T]
) -> tuple[list[tuple[int, T]], list[Rejection]]:
    """Split items into those that are taken, with their places, and the rejected ones."""
    taken, rejected = [], []
    for index, item in items:
        try:
            taken.append((index, take(item)))
        except InvalidItem as refused:
            rejected.append(Rejection(index, refused.field, refused.message))
    return taken, rejected
