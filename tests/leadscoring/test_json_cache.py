"""The shared cache holds data, never code."""

import os
import pickle
from pathlib import Path

import pytest
from django.core.cache import cache
from redis import Redis


class Code:
    """What a pickle may do when it is read."""

    def __init__(self, touched: Path) -> None:
        self.touched = touched

    def __reduce__(self):
        return (Path.touch, (self.touched,))


def test_what_somebody_puts_into_redis_is_not_run(tmp_path: Path):
    cache.set("figure", 1)
    touched = tmp_path / "touched"
    redis = Redis.from_url(os.environ["REDIS_URL"])
    redis.set(cache.make_key("figure"), pickle.dumps(Code(touched)))

    assert cache.get("figure") is None
    assert not touched.exists()


@pytest.mark.parametrize("value", [1, -3, 1.5, "Ada", None, True, {"a": [1, "b"]}])
def test_values_come_back_as_they_went_in(value: object):
    cache.set("value", value)

    assert cache.get("value", "nothing") == value
    assert type(cache.get("value")) is type(value)


def test_numbers_can_be_counted_up():
    cache.set("count", 1)

    assert cache.incr("count") == 2
