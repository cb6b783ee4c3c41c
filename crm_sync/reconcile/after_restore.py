"""After a database restore: ensure that nothing the lost database did is done a second time.

Tasks that were made since the backup are found in the CRM: a waiting row gets its own by its
reference, others are kept for the crossings that will be replayed. Rows whose task is not found
search for it once more before they make one. Mails that may have left wait for a person, and no
mail leaves before the CRM was read completely: it has the opt-outs, deals and stages of the gap.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from crm_sync.account import read_account
from crm_sync.mapping.task_text import leads_here
from crm_sync.models import Account, ComparisonRun, Handoff, Round, UnrecordedTask
from crm_sync.port import Crm
from crm_sync.reconcile.repairs import CHUNK, Repairs
from crm_sync.reconcile.survey import Survey, survey_tasks
from leadscoring.common.batching import batched
from leadscoring.models import CrmFreshness
from leadscoring.operations import restore
from sequences.restore import mark_perhaps_sent, skip_used_ids

Watch = Callable[[Iterator[int]], Iterable[int]]


@dataclass(slots=True)
class Restored:
    """The findings and repairs. `tasks`: ours in the CRM; `adopted`: waiting rows that got one of
    them; `kept`: tasks of crossings that the backup does not have; `to_look_for`: rows that search
    for their task before they make one; `mails`: those that may have left."""

    tasks: int = 0
    adopted: int = 0
    kept: int = 0
    to_look_for: int = 0
    mails: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def take_over(crm: Crm, at: datetime, *, until: datetime, watch: Watch = iter) -> Restored:
    """Process all that the lost installation may have done by `until`, then release sending.

    Raise CrmError when the CRM cannot be read: everything stays held, and this is run again.
    """
    done = Restored()
    restore.hold()
    if crm.connected or Account.objects.exists():
        look_for_tasks(Repairs(crm, read_account(crm, at), at, plan=False), done, watch)
    done.to_look_for = Handoff.objects.look_before_making(at)
    skip_used_ids()
    done.mails = mark_perhaps_sent(until, at)
    # As at the first start: every contact is read once before any is mailed.
    ComparisonRun.forget()  # its findings are those of the lost installation
    Round.objects.all().delete()
    CrmFreshness.objects.all().delete()
    restore.confirm()
    return done


def look_for_tasks(repairs: Repairs, done: Restored, watch: Watch) -> None:
    seen = Survey()
    for _ in watch(survey_tasks(repairs.crm, seen)):
        pass
    done.tasks, done.adopted = seen.found, len(repairs.adopt(seen.finds))
    for some in batched(seen.unknown, CHUNK):
        done.kept += keep(repairs, seen, some)


def keep(repairs: Repairs, seen: Survey, task_ids: Sequence[str]) -> int:
    """Keep unknown tasks whose text links to a contact's page here; return how many."""
    tasks = repairs.crm.tasks(task_ids)
    unrecorded = [
        UnrecordedTask(
            task_id=task_id, reference=reference, record_id=record_ids[0], found_at=repairs.at
        )
        for task_id in task_ids
        for reference, record_ids in [seen.unknown[task_id]]
        if record_ids and task_id in tasks and leads_here(tasks[task_id].body)
    ]
    UnrecordedTask.objects.bulk_create(unrecorded, ignore_conflicts=True)
    return len(unrecorded)
