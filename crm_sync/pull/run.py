"""One turn of reading the CRM: which account, for how long, and what was read so far."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from crm_sync.models import Account, PullReport
from crm_sync.port import Crm
from crm_sync.pull import index_lag
from crm_sync.pull.apply import apply_snapshot
from crm_sync.pull.fetch import fetch_snapshot
from leadscoring.common.clock import AnchoredClock

# Contacts that are read together: five reads of records, one of associations.
CHUNK = 500

Watch = Callable[[Iterator[int]], Iterable[int]]


@dataclass(slots=True)
class PullRun:
    """`at`: when it began. `seconds`: the time limit; what is left then is the next run's.

    `watch` receives the number of contacts of each part of a long sweep.
    """

    crm: Crm
    account: Account
    at: datetime
    report: PullReport
    seconds: float = float("inf")
    watch: Watch = iter
    clock: AnchoredClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = AnchoredClock(self.at)

    def now(self) -> datetime:
        return self.clock.now()

    def is_over(self) -> bool:
        return self.clock.elapsed() > self.seconds

    def see(
        self, ids: Collection[int], merged_into: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Read contacts again and store the result. `merged_into`: see `fetch_snapshot`."""
        at, found = self.now(), fetch_snapshot(self.crm, ids, merged_into)
        index_lag.learn_index_lag(found, at)
        self.report.deals += apply_snapshot(self.crm, self.account, found, at)
        self.report.contacts += len(ids)
