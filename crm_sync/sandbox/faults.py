"""Made-up trouble: answers that fail, hang, are nonsense, or never come."""

from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

KINDS = ("status", "drop_before", "drop_after", "slow", "garbage")
LONGEST_SECONDS = 600


@dataclass
class Fault:
    """`times`: how often it still strikes (None: for ever); `share`: how likely, from 0 to 1.

    status: answered at once with `status`, `headers`, `body`, nothing carried out.
    drop_before, drop_after: the connection ends before, or after, the work is done.
    slow: `seconds` later than usual. garbage: done, then answered with what is no JSON.
    """

    kind: str
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
        if not set(self.match) <= {"method", "path_prefix"}:
            raise ValueError("match takes method and path_prefix")
        if not 200 <= self.status <= 599 or not 0 <= self.seconds <= LONGEST_SECONDS:
            raise ValueError("status or seconds out of range")

    def is_for(self, method: str, path: str) -> bool:
        return self.match.get("method", method) == method and path.startswith(
            self.match.get("path_prefix", "/")
        )


class Faults:
    """The faults that wait, in the order they were asked for. The chances are repeatable."""

    def __init__(self, seed: int = 1) -> None:
        self._waiting: list[Fault] = []
        self._random = Random(seed)  # noqa: S311 - chance for tests, no secret

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._waiting]

    def strike(self, method: str, path: str) -> Fault | None:
        """The first fault that hits this request, counted down."""
        for fault in self._waiting:
            if fault.is_for(method, path) and self._random.random() < fault.share:
                if fault.times is not None:
                    fault.times -= 1
                    self._waiting = [each for each in self._waiting if each.times != 0]
                return fault
        return None
