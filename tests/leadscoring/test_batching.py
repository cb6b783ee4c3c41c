"""Parts of a bounded size."""

from itertools import chain, count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscoring.common.batching import batched


@pytest.mark.parametrize(
    ("items", "batches"),
    [
        ([], []),
        ([1], [(1,)]),
        ([1, 2], [(1, 2)]),
        ([1, 2, 3], [(1, 2), (3,)]),
        (range(4), [(0, 1), (2, 3)]),
    ],
)
def test_the_last_batch_is_what_is_left(items, batches):
    assert list(batched(items, 2)) == batches


@given(st.lists(st.integers()), st.integers(1, 10))
def test_nothing_is_lost_repeated_or_moved(items, size):
    batches = list(batched(items, size))

    assert list(chain.from_iterable(batches)) == items
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(1 <= len(batch) <= size for batch in batches[-1:])


def test_no_more_is_read_than_is_taken():
    numbers = count()

    assert next(batched(numbers, 3)) == (0, 1, 2)
    assert next(numbers) == 3
