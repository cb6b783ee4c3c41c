"""The CRM's own trouble, and what it answered, from the stand-in's record."""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.chaos.record import asked


def told(url: str, method: str, body: Any = None) -> None:
    request = urllib.request.Request(
        url, json.dumps(body).encode() if body is not None else None, method=method
    )
    urllib.request.urlopen(request, timeout=30).close()


def kinds(sandbox: str) -> list[str]:
    """Every kind of trouble that may strike a request."""
    return [
        each["name"] for each in asked(f"{sandbox}/sandbox/faults")["names"] if each.get("in_storm")
    ]


@contextmanager
def blowing(sandbox: str, share: float, slow: float) -> Iterator[None]:
    """Of all requests such a share goes wrong, in every way there is; late answers take `slow`."""
    names = kinds(sandbox)
    for name in names:
        told(f"{sandbox}/sandbox/faults", "POST", fault(name, slow) | {"share": share / len(names)})
    yield
    told(f"{sandbox}/sandbox/faults", "DELETE")


def once(sandbox: str, names: Iterable[str], slow: float) -> None:
    """Each of them strikes the next request that it can, whatever chance does meanwhile."""
    for name in names:
        told(f"{sandbox}/sandbox/faults", "POST", fault(name, slow) | {"times": 1})


def fault(name: str, slow: float) -> dict[str, Any]:
    return {"name": name} | ({"seconds": slow} if name in ("slow", "dripping") else {})


def struck(sandbox: str) -> Counter[str]:
    """How often each kind of trouble struck; none is left out."""
    return Counter(dict.fromkeys(kinds(sandbox), 0) | asked(f"{sandbox}/sandbox/faults")["struck"])


def answers(sandbox: str) -> Counter[tuple[str, str]]:
    """How often what was asked and answered, without what made-up trouble did."""
    counts = asked(f"{sandbox}/sandbox/counts")
    return Counter(
        {
            (f"{each['method']} {each['path']}", str(each["status"])): each["count"]
            for each in counts
            if each["fault"] is None
        }
    )


def too_fast(answered: Counter[tuple[str, str]]) -> int:
    return sum(count for (_, status), count in answered.items() if status == "429")
