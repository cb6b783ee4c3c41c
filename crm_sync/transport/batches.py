"""Write many records in batches, so that one bad record spoils no other and a silence stops the rest."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from crm_sync.port import CrmBusy, CrmDenied, CrmError, CrmMissing, CrmRejected, CrmSilent


class Traced(Protocol):
    @property
    def trace(self) -> str: ...


Write = TypeVar("Write", bound=Traced)
Result = TypeVar("Result")
Outcome = dict[str, Result | CrmError]


def unique_rounds(writes: Iterable[Write], key: Callable[[Write], Hashable]) -> list[list[Write]]:
    """Distribute writes over rounds in which no key occurs twice: CRMs reject a batch with two."""
    found: list[dict[Hashable, Write]] = []
    for write in writes:
        free = next((each for each in found if key(write) not in each), None)
        if free is None:
            free = {}
            found.append(free)
        free[key(write)] = write
    return [list(each.values()) for each in found]


def write_all(
    batches: Iterable[Sequence[Write]],
    write: Callable[[Sequence[Write]], Mapping[str, Result | CrmError]],
) -> Outcome[Result]:
    """Return the result or error of every write, by trace.

    Halve a batch that is rejected as a whole until the rejected write stands alone. Stop at the first
    batch without an answer or without permission. Raise CrmBusy and CrmDenied only when nothing was
    done before them.
    """
    waiting = deque(batches)
    outcome: Outcome[Result] = {}
    while waiting:
        batch = waiting.popleft()
        try:
            outcome |= write(batch)
        except (CrmRejected, CrmMissing) as error:
            if len(batch) == 1:
                outcome[batch[0].trace] = error
            else:
                half = len(batch) // 2
                waiting.extendleft((batch[half:], batch[:half]))
        except CrmSilent as error:
            not_tried = CrmBusy("Not asked yet: the CRM did not answer what was asked before.")
            return outcome | _all([batch], error) | _all(waiting, not_tried)
        except (CrmBusy, CrmDenied) as error:
            if not outcome:
                raise
            return outcome | _all([batch, *waiting], error)
    return outcome


def _all(batches: Iterable[Sequence[Write]], error: CrmError) -> dict[str, Any]:
    return {write.trace: error for batch in batches for write in batch}
