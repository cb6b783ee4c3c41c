"""Move this installation to another CRM account, of the same CRM or of another.

Ids of one account mean nothing in another. What was handed off stays in the ledger with its reasons
and is not handed off again; what was on its way begins anew in the new account; whatever else was
read from the former account is dropped, and read from the new one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from crm_sync import initial_data
from crm_sync.account import name_account
from crm_sync.connect import crm_name
from crm_sync.deals.mirror import mirror_owners
from crm_sync.models import (
    Account,
    AppliedChange,
    Arrival,
    Breaker,
    ComparisonRun,
    Cursor,
    Deal,
    Drift,
    Handoff,
    HandoffTask,
    Hint,
    Link,
    OptOut,
    Owner,
    PullReport,
    Push,
    Reassignment,
    Report,
    Round,
    Stage,
    UnrecordedTask,
)
from crm_sync.models.handoff import is_claimed
from crm_sync.port import Crm, CrmAccount, CrmOwner
from leadscoring import crm_state
from leadscoring.common.advisory_lock import HINTS, PULLS, advisory_lock
from leadscoring.common.bulk_sql import rows_as_json
from leadscoring.engine.wording import format_count
from leadscoring.models import CRM_ID_LENGTH, CrmState, Effect

SHOWN = 20
# What was read from the former account, or waits to be written there. Children before parents.
OF_THE_ACCOUNT = (
    Push, Link, Deal.contacts.through, Deal, Stage, Cursor, AppliedChange, Round, PullReport, Hint,
    Arrival, OptOut, UnrecordedTask, ComparisonRun, Drift, Report, Breaker,
)  # fmt: skip
# One statement for each table: reps keep their rows, and rows of the ledger name the same rep as before.
RENAME_OWNERS = """
    UPDATE {table} AS row SET {column} = renamed.new
    FROM jsonb_to_recordset(%(pairs)s) AS renamed(old text, new text) WHERE row.{column} = renamed.old
"""
NAMES_OF_OWNERS = (
    (Owner, "owner_id"),
    (Handoff, "owner_id"),
    (Reassignment, "from_owner_id"),
    (Reassignment, "to_owner_id"),
)

READ_NOW = "The former account is being read at this moment: try again in a minute."
UNCERTAIN = "It may have been handed off in {former}: look there for its reference. Resend hands it off in the present CRM."
LEFT_THERE = "Its task is in {former}."


class MoveRefused(Exception):
    """The move cannot be made now; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a move would do. Counts are of people or handoffs.

    `dropped_fields`: rows of the mapping that a person added or changed. `obstacle`: why it cannot be
    made now, or "".
    """

    crm: str
    former: str
    there: CrmAccount
    reps: Sequence[CrmOwner]
    linked: int
    delivered: int
    open_tasks: int
    waiting: int
    uncertain: int
    paused: int
    stopped: int
    same_reps: Sequence[str]
    former_reps: Sequence[str]
    dropped_fields: Sequence[str]
    obstacle: str

    def consequences(self) -> list[str]:
        """Return what would happen, a sentence or two for each part."""
        return [
            f"{format_count(self.delivered, 'lead')} handed off so far: all stay in the ledger with their reasons, and none is "
            f"handed off again. {format_count(self.open_tasks, 'open task')} in the former account: not followed any more.",
            f"{format_count(self.waiting, 'lead')} on the way: handed off in {self.crm} as soon as it is set up.",
            f"{format_count(self.uncertain, 'lead')} with a task that may have been made already: kept under Needs attention until somebody decides.",
            f"{format_count(self.linked, 'link')} of people to records of the former account: dropped. Who was handed off or is in a "
            f"sequence is looked for in {self.crm} by e-mail address, and nobody gets mail until everybody was.",
            f"{self.paused:,} paused and {self.stopped:,} stopped by a deal: deals and stages are read from {self.crm} from now on, so import "
            "the deals there first. Who has none there may get mail again.",
            f"Reps who keep their hours, shares and rules, since {self.crm} has their address: {listed(self.same_reps)}.",
            f"Reps who get no leads any more, since {self.crm} has nobody of their address: {listed(self.former_reps)}.",
            f"The field mapping begins anew with {self.crm}’s; of yours these are dropped: {listed(self.dropped_fields)}.",
        ]


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN]) or "none"
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def plan_move(crm: Crm, at: datetime) -> Move | None:
    """Return what a move to the account of these credentials would do; None when there is nothing to move.

    Raise any CrmError of reading the new account and its reps.
    """
    here, there = Account.objects.filter(pk=1).first(), crm.account()
    if here is None or here.is_account(settings.CRM, there.id):
        return None
    reps = crm.owners()
    known = ids_by_address(reps)
    owners = list(Owner.objects.filter(active=True).order_by("name", "pk"))
    on_the_way = Handoff.objects.on_the_way()
    return Move(
        crm=crm_name(),
        former=name_account(here.crm, here.account_id),
        there=there,
        reps=reps,
        linked=Link.objects.filter(gone_at=None).count(),
        delivered=Handoff.objects.delivered().count(),
        open_tasks=HandoffTask.objects.open().count(),
        waiting=on_the_way.filter(task_tried_at=None).count(),
        uncertain=on_the_way.filter(task_tried_at__isnull=False).count(),
        paused=CrmState.objects.filter(effect=Effect.PAUSE).count(),
        stopped=CrmState.objects.filter(effect=Effect.STOP).count(),
        same_reps=[str(owner) for owner in owners if owner.email.casefold() in known],
        former_reps=[str(owner) for owner in owners if owner.email.casefold() not in known],
        dropped_fields=[str(row) for row in initial_data.own_mappings()],
        obstacle=obstacle(at),
    )


def obstacle(at: datetime) -> str:
    """Return what has to be over before a move can be made; "" when nothing has."""
    if claimed := Handoff.objects.filter(is_claimed(at)).count():
        return (
            f"{format_count(claimed, 'lead')} on the way at this moment: try again in five minutes."
        )
    if undecided := Link.objects.filter(gone_for_good=True).count():
        return (
            f"{format_count(undecided, 'record')} deleted for good in the former CRM: erase or keep these "
            "people first, as the home page says."
        )
    return ""


def move_account(crm: Crm, plan: Move, at: datetime) -> None:
    """Make a planned move in one transaction; nothing is asked of any CRM.

    Raise MoveRefused while the former account is still worked with.
    """
    with advisory_lock(PULLS) as pulls, advisory_lock(HINTS) as hints:
        if not (pulls and hints):
            raise MoveRefused(READ_NOW)
        with transaction.atomic():
            here = Account.objects.select_for_update().get(pk=1)
            if reason := obstacle(at):
                raise MoveRefused(reason)
            leave_former_account(plan.former, at)
            rename_owners(here, plan.reps)
            mirror_owners(plan.reps, at)
            initial_data.replace_mapping()
            Account.objects.filter(pk=1).delete()
            read = {"time_zone": plan.there.time_zone, "identity": crm.identity, "seen_at": at}
            Account.objects.create(account_id=plan.there.id, crm=settings.CRM, **read)


def leave_former_account(former: str, at: datetime) -> None:
    """Close what is there, begin anew what was on its way, drop what was read."""
    left, uncertain = LEFT_THERE.format(former=former), UNCERTAIN.format(former=former)
    Handoff.objects.filter(task__in=HandoffTask.objects.open()).update(reason=left)
    HandoffTask.objects.open().update(state=HandoffTask.State.CLOSED, seen_at=at)
    Reassignment.objects.waiting().update(
        state=Reassignment.State.FAILED, settled_at=at, reason=left
    )
    Handoff.objects.begin_anew(at, uncertain)
    crm_state.drop_everything()
    with connection.cursor() as cursor:
        for model in OF_THE_ACCOUNT:
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')  # noqa: S608 - our own tables


def rename_owners(here: Account, reps: Sequence[CrmOwner]) -> None:
    """Give each rep the id that the person with this address has in the new account.

    The ids of all others get the former account's in front, so that no id of the new one equals them.
    """
    ids = ids_by_address(reps)
    owners = Owner.objects.order_by("-active", "pk").values_list("owner_id", "email")
    former, present = {}, {}
    for owner_id, address in owners:
        former[owner_id] = f"{here.account_id}/{owner_id}"[:CRM_ID_LENGTH]
        if new := ids.pop(address.casefold(), ""):
            present[former[owner_id]] = new
    # In two steps: an id of the new account may be another rep's of the former.
    rename_in_tables(former)
    rename_in_tables(present)


def ids_by_address(reps: Iterable[CrmOwner]) -> dict[str, str]:
    """Return the ids of the active reps by their address, whatever its case."""
    return {rep.email.casefold(): rep.owner_id for rep in reps if rep.email and rep.active}


def rename_in_tables(new_ids: Mapping[str, str]) -> None:
    pairs = rows_as_json(pairs_of(new_ids))
    with connection.cursor() as cursor:
        for model, column in NAMES_OF_OWNERS:
            statement = RENAME_OWNERS.format(table=f'"{model._meta.db_table}"', column=column)
            cursor.execute(statement, {"pairs": pairs})


def pairs_of(new_ids: Mapping[str, str]) -> Iterable[dict[str, str]]:
    return ({"old": old, "new": new} for old, new in new_ids.items())
