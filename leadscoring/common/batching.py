"""Many things in parts of a bounded size."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def batched(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """Yield the items in order, `size` at a time and the rest at last: itertools.batched of Python 3.12."""
    left = iter(items)
    while batch := tuple(islice(left, size)):
        yield batch
