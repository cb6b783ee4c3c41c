"""What passes between us and a CRM, in our words: records, writes, and what is known of the account.

Times are UTC-aware, ids are opaque text, money is text as the CRM wrote it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from crm_sync.port.text import TaskText

# Whose turn it is when requests are short: a fresh lead, then many leads, then reading and the rest.
Priority = Literal["live", "backlog", "polling"]


ChangeKind = Literal["contacts", "deals"]


@dataclass(frozen=True, slots=True)
class CrmAccount:
    id: str
    name: str = ""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class CrmContact:
    """A record as the CRM has it. `lifecycle_stage`: ours (see leadscoring.models.Lifecycle) or ""
    when it is none of ours; `properties`: the CRM's own names and values of what we write."""

    record_id: str
    email: str
    owner_id: str
    lifecycle_stage: str
    lead_status: str
    opted_out: bool
    properties: Mapping[str, str]
    asked_id: str = ""  # the id it was asked by, when that was another (merged records)
    former_ids: tuple[str, ...] = ()  # of the records that were merged into it
    touched_at: datetime | None = None  # when somebody in sales last spoke or wrote to them


@dataclass(frozen=True, slots=True)
class CrmContactWrite:
    """What a record should say. By `record_id` when known, else created or found by `email`."""

    trace: str
    record_id: str
    email: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CrmTask:
    """A task as the CRM has it.

    `started`: a rep has begun with it or put it off; None where the CRM does not tell.
    """

    task_id: str
    subject: str
    body: TaskText
    owner_id: str
    done: bool
    started: bool | None = None
    done_at: datetime | None = None
    record_ids: tuple[str, ...] = ()  # the contacts it hangs on; told by `list_tasks` alone


@dataclass(frozen=True, slots=True)
class CrmTaskPage:
    """Some of all tasks. `place`: where the next page begins, text of the CRM's; "" at the end."""

    tasks: Sequence[CrmTask]
    place: str


@dataclass(frozen=True, slots=True)
class CrmTaskWrite:
    """`trace`: the reference, one task's alone. `body` is of the CRM's own form.

    `again`: this very task may have been made already.
    """

    trace: str
    record_id: str
    owner_id: str
    subject: str
    body: TaskText
    due_at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class CrmTaskChange:
    """What a task should say from now on; None leaves it as it is."""

    task_id: str
    subject: str | None = None
    body: TaskText | None = None
    owner_id: str | None = None
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class CrmOwner:
    """`active`: a person who can be given leads. A queue is an owner that is never active."""

    owner_id: str
    email: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class CrmStage:
    """`probability`: of winning, 0 to 1, or None when the CRM does not say."""

    pipeline_id: str
    pipeline: str
    stage_id: str
    label: str
    position: int
    probability: float | None
    closed: bool
    won: bool
    archived: bool = False


@dataclass(frozen=True, slots=True)
class CrmDeal:
    deal_id: str
    name: str
    pipeline_id: str
    stage_id: str
    owner_id: str
    amount: str
    closed: bool
    won: bool
    changed_at: datetime | None = None  # by the CRM's clock
    made_at: datetime | None = None  # by the CRM's clock
    lost_reason: str = ""  # why it was lost, as sales wrote it


@dataclass(frozen=True, slots=True)
class CrmChange:
    """A record that was changed, and when by the CRM's clock; of a contact also what it is known by.

    `emails`: all its addresses in lower case. `former_ids`: those of the records merged into it.
    """

    record_id: str
    changed_at: datetime
    emails: tuple[str, ...] = ()
    former_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrmProperty:
    """A property of contacts. `type`: number, text, long_text, enumeration, datetime, date; of one that
    the account has also yes_no, other. A CRM without a type says so when it is set up.

    `labels`: how people there read the options. `read_only`: nobody may write it over the API.
    """

    name: str
    label: str
    type: str
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    read_only: bool = False


class FirstField(NamedTuple):
    """One value that is written or read until a marketer decides otherwise. `source`, `policy`,
    `direction` and `format` are words of crm_sync.models.FieldMapping; `value` is a constant's."""

    source: str
    property: str
    policy: str
    value: str = ""
    direction: str = "out"
    format: str = ""


@dataclass(frozen=True, slots=True)
class CrmHint:
    """Something happened to a record there: a reason to look at it again, never a fact.

    `account_id`: whose record it is; "" when the hint does not say. `merged_into`: the record that
    it was merged into, where the CRM says so here and not when it is asked for the old id.
    """

    kind: Literal["contact", "deal"]
    record_id: str
    what: Literal["changed", "deleted", "restored", "merged", "erased", "associated"]
    occurred_at: datetime
    account_id: str = ""
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """A request as it came in. `address`: where it was sent to, as the sender has it; `headers`: by
    name in lower case."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class CrmBudget:
    """What was used and may be used of the CRM's limits; None where it is not known yet.

    `unit`: what the CRM counts, in the plural. `window_seconds`: the short span of time over which
    `used` and `allowed` are counted; None where the CRM has no such limit.
    """

    used: int | None
    allowed: int | None
    used_today: int | None
    allowed_today: int | None
    window_seconds: float | None = None
    unit: str = "requests"


@dataclass(frozen=True, slots=True)
class CrmCall:
    """One entry of the register of calls. `retry`: may be repeated after an unknown outcome.

    `until`: the day on which the CRM ends its support.
    """

    method: str
    path: str
    purpose: str
    retry: bool
    limit: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class CrmField:
    """A value that is sent or read whatever the mapping says, by the CRM's own name.

    `record`: what it is of: contact, task, deal, company, rep, stage, account.
    """

    record: str
    name: str
    sent: bool


@dataclass(frozen=True, slots=True)
class CrmAudit:
    """`token`: what is known of the credentials, as the audit prints it, nothing secret in it."""

    token: Mapping[str, object]
    problems: Sequence["CrmFlaw"]


@dataclass(frozen=True, slots=True)
class CrmFlaw:
    """`stops`: sales handoff does not work while it lasts."""

    what: str
    fix: str
    stops: bool


@dataclass(frozen=True, slots=True)
class SetUpStep:
    """One thing that set-up would create, or found wrong (`problem`) and leaves alone.

    `wanted`: the name of the property that was asked for; `named`: the name that the CRM gave it,
    where the CRM chooses names itself.
    """

    what: str
    problem: str = ""
    wanted: str = ""
    named: str = ""
