"""Made-up trouble: answers that fail, hang, are nonsense, or never come."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

# Nothing is carried out; everything else strikes after the work.
BEFORE = ("status", "drop_before")
KINDS = (*BEFORE, "status_after", "drop_after", "slow", "dripping", "garbage", "partial")
PARTIAL = ("/batch/create", "/batch/update", "/batch/upsert")
COLLECTION = "/composite/sobjects"
LONGEST_SECONDS = 600


@dataclass
class Fault:
    """`times`: how often it still strikes (None: for ever); `share`: how likely, from 0 to 1.

    status, status_after: answered with `status`, `headers`, `body` instead of the work, or after it.
    drop_before, drop_after: the connection ends before, or after, the work is done.
    slow: done and answered `seconds` later than usual. dripping: done at once, and the answer's
    end comes byte by byte over `seconds`. garbage: done, then answered with what is no JSON.
    partial: each third input of a batch fails, the others are done; only where every input has an
    `objectWriteTraceId`, or a result of its own in their order. `body` is then the entry of a failed input.
    `name`: the dial it was set by, if any.
    """

    kind: str
    name: str = ""
    match: dict[str, str] = field(default_factory=dict)
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int | None = 1
    share: float = 1.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if not set(self.match) <= {"method", "path", "path_prefix", "path_contains"}:
            raise ValueError("match takes method, path, path_prefix and path_contains")
        if not 200 <= self.status <= 599 or not 0 <= self.seconds <= LONGEST_SECONDS:
            raise ValueError("status or seconds out of range")
        if not 0 <= self.share <= 1:
            raise ValueError("share must be from 0 to 1")

    @property
    def is_before(self) -> bool:
        return self.kind in BEFORE

    @property
    def waits(self) -> bool:
        """Before the work; a dripping answer takes its time after it."""
        return bool(self.seconds) and not self.is_before and self.kind != "dripping"

    @property
    def called(self) -> str:
        return self.name or self.kind

    def is_for(self, method: str, path: str, body: bytes) -> bool:
        if self.kind == "partial" and not _is_batch(path, body):
            return False
        return (
            self.match.get("method", method) == method
            and self.match.get("path", path) == path
            and path.startswith(self.match.get("path_prefix", "/"))
            and self.match.get("path_contains", "") in path
        )


def _is_batch(path: str, body: bytes) -> bool:
    traced = "/objects/" in path and path.endswith(PARTIAL) and b'"objectWriteTraceId"' in body
    return traced or path.endswith(COLLECTION)


class Storm:
    """Strikes any request with one chance, by one of its faults, all equally likely.

    Each request takes two numbers of the seed's, struck or not: with the same requests in the
    same order the same ones are struck by the same faults.
    """

    def __init__(self, share: float, seed: int, faults: Sequence[Fault]) -> None:
        if isinstance(share, bool) or not 0 <= share <= 1 or not isinstance(seed, int):
            raise ValueError("share must be from 0 to 1 and seed a whole number")
        self.share, self.seed, self._faults = share, seed, faults
        self._random = Random(seed)  # noqa: S311 - chance for tests, no secret

    def strike(self, method: str, path: str, body: bytes) -> Fault | None:
        hit, which = self._random.random(), self._random.random()
        if hit >= self.share:
            return None
        fitting = [each for each in self._faults if each.is_for(method, path, body)]
        return fitting[int(which * len(fitting))]

    def shown(self) -> dict[str, Any]:
        return {
            "share": self.share,
            "seed": self.seed,
            "names": [fault.name for fault in self._faults],
        }


class Faults:
    """The faults that wait, in the order they were asked for, and the storm behind them."""

    def __init__(self, seed: int = 1) -> None:
        self._waiting: list[Fault] = []
        self._random = Random(seed)  # noqa: S311 - chance for tests, no secret
        self.storm: Storm | None = None
        self.struck: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        """End all of them, the storm too."""
        self._waiting.clear()
        self.storm = None

    def end(self, name: str) -> None:
        self._waiting = [each for each in self._waiting if each.called != name]

    def on(self, name: str) -> Fault | None:
        """The first fault that waits under that name."""
        return next((each for each in self._waiting if each.called == name), None)

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._waiting]

    def strike(self, method: str, path: str, body: bytes) -> Fault | None:
        """The first fault that hits this request, counted."""
        fault = self._first(method, path, body)
        if fault is None and self.storm:
            fault = self.storm.strike(method, path, body)
        if fault:
            self.struck[fault.called] += 1
        return fault

    def _first(self, method: str, path: str, body: bytes) -> Fault | None:
        for fault in self._waiting:
            if fault.is_for(method, path, body) and self._random.random() < fault.share:
                if fault.times is not None:
                    fault.times -= 1
                    self._waiting = [each for each in self._waiting if each.times != 0]
                return fault
        return None
