"""The data exchanged with a CRM, in our terms: records, writes, and what is known of the account.

Times are UTC-aware, ids are opaque text, money is text as the CRM wrote it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from crm_sync.port.text import TaskText

# The order when requests are scarce: a fresh lead, then many leads, then reading and the rest.
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
    for any other; `properties`: the values of what we write, by the CRM's own names."""

    record_id: str
    email: str
    owner_id: str
    lifecycle_stage: str
    lead_status: str
    opted_out: bool
    properties: Mapping[str, str]
    asked_id: str = ""  # the requested id, when that was another (merged records)
    former_ids: tuple[str, ...] = ()  # of the records that were merged into it
    touched_at: datetime | None = None  # when sales last spoke or wrote to the contact


@dataclass(frozen=True, slots=True)
class CrmContactWrite:
    """The wanted values of a record. By `record_id` when known, else created or found by `email`."""

    trace: str
    record_id: str
    email: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CrmTask:
    """A task as the CRM has it.

    `started`: a rep has begun or postponed it; None where the CRM does not report it.
    """

    task_id: str
    subject: str
    body: TaskText
    owner_id: str
    done: bool
    started: bool | None = None
    done_at: datetime | None = None
    record_ids: tuple[str, ...] = ()  # its associated contacts; filled by `list_tasks` alone


@dataclass(frozen=True, slots=True)
class CrmTaskPage:
    """One page of all tasks. `place`: the CRM's opaque cursor of the next page; "" at the end."""

    tasks: Sequence[CrmTask]
    place: str


@dataclass(frozen=True, slots=True)
class CrmTaskWrite:
    """`trace`: the reference, unique to the task. `body` is in the CRM's own form.

    `again`: a task of this reference may exist already.
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
    """New values of a task; None leaves a value as it is."""

    task_id: str
    subject: str | None = None
    body: TaskText | None = None
    owner_id: str | None = None
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class CrmOwner:
    """`active`: a person to whom leads can be assigned. A queue is an owner that is never active."""

    owner_id: str
    email: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class CrmStage:
    """`probability`: of winning, 0 to 1; None when the CRM does not report it."""

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
    lost_reason: str = ""  # as sales wrote it


@dataclass(frozen=True, slots=True)
class CrmChange:
    """A changed record, and the time of the change by the CRM's clock; for a contact also its keys.

    `emails`: all its addresses in lower case. `former_ids`: the ids of records merged into it.
    """

    record_id: str
    changed_at: datetime
    emails: tuple[str, ...] = ()
    former_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrmProperty:
    """A property of contacts. `type`: number, text, long_text, enumeration, datetime, date; for one that
    the account has also yes_no, other. A CRM without a type reports that at set-up.

    `labels`: the options as the CRM displays them. `read_only`: it cannot be written over the API.
    """

    name: str
    label: str
    type: str
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    read_only: bool = False


class FirstField(NamedTuple):
    """A default field mapping, in force until a marketer changes it. `source`, `policy`, `direction`
    and `format` are choices of crm_sync.models.FieldMapping; `value` is a constant's."""

    source: str
    property: str
    policy: str
    value: str = ""
    direction: str = "out"
    format: str = ""


@dataclass(frozen=True, slots=True)
class CrmHint:
    """An event of a record in the CRM: a reason to read it again, never a fact.

    `account_id`: the record's account; "" when the hint does not name it. `merged_into`: the record
    that it was merged into, where the CRM reports that here and not on a read of the old id.
    """

    kind: Literal["contact", "deal"]
    record_id: str
    what: Literal["changed", "deleted", "restored", "merged", "erased", "associated"]
    occurred_at: datetime
    account_id: str = ""
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """A request as it was received. `address`: the URL as the sender has it; `headers`: by name in
    lower case."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class CrmBudget:
    """The used and the allowed part of the CRM's limits; None where it is not known yet.

    `unit`: what the CRM counts, in the plural. `window_seconds`: the short window over which `used`
    and `allowed` are counted; None where the CRM has no such limit.
    """

    used: int | None
    allowed: int | None
    used_today: int | None
    allowed_today: int | None
    window_seconds: float | None = None
    unit: str = "requests"


@dataclass(frozen=True, slots=True)
class CrmCall:
    """One entry of the register of calls. `retry`: it may be repeated after an unknown outcome.

    `until`: the day on which the CRM ends its support of the call.
    """

    method: str
    path: str
    purpose: str
    retry: bool
    limit: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class CrmField:
    """A value that is sent or read independently of the mapping, by the CRM's own name.

    `record`: its kind of record: contact, task, deal, company, rep, stage, account.
    """

    record: str
    name: str
    sent: bool


@dataclass(frozen=True, slots=True)
class CrmAudit:
    """`token`: what is known of the credentials, as the audit prints it, without secrets."""

    token: Mapping[str, object]
    problems: Sequence["CrmFlaw"]


@dataclass(frozen=True, slots=True)
class CrmFlaw:
    """`stops`: sales handoff does not work until it is fixed."""

    what: str
    fix: str
    stops: bool


@dataclass(frozen=True, slots=True)
class SetUpStep:
    """One item that set-up would create, or that it found wrong (`problem`) and leaves alone.

    `wanted`: the requested name of the property; `named`: the name that the CRM gave it, where the
    CRM chooses names itself.
    """

    what: str
    problem: str = ""
    wanted: str = ""
    named: str = ""
