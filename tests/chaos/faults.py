"""The CRM's own trouble, and what it answered, from the stand-in's record."""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.chaos.record import asked

KINDS = [
    {"kind": "drop_before"}, {"kind": "drop_after"}, {"kind": "garbage"}, {"kind": "slow", "seconds": 1.0},
    *({"kind": "status", "status": status} for status in (423, 429, 477, 500, 502, 503, 504, 524)),
]  # fmt: skip


def told(url: str, method: str, body: Any = None) -> None:
    request = urllib.request.Request(
        url, json.dumps(body).encode() if body is not None else None, method=method
    )
    urllib.request.urlopen(request, timeout=30).close()


@contextmanager
def blowing(sandbox: str, share: float, seed: int) -> Iterator[None]:
    """Of all requests such a share goes wrong, in every way there is."""
    for kind in KINDS:
        told(
            f"{sandbox}/sandbox/faults",
            "POST",
            {**kind, "times": None, "share": share / len(KINDS)},
        )
    yield
    told(f"{sandbox}/sandbox/faults", "DELETE")


def answers(sandbox: str) -> Counter[str]:
    """How often it answered what, and whether that was made-up trouble."""
    log = asked(f"{sandbox}/sandbox/requests")
    return Counter(f"{each['status']} {each['fault'] or ''}".strip() for each in log)
