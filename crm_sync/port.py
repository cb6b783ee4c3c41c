"""The border to a CRM: what we ask of one, in our words. An adapter is a package that implements `Crm`.

Times are UTC-aware, ids are opaque text, money is text as the CRM wrote it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol

# Whose turn it is when requests are short: a fresh lead, then many leads, then reading and the rest.
Lane = Literal["live", "backlog", "polling"]
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
    """A task as the CRM has it. `started`: a rep has begun with it or put it off."""

    task_id: str
    subject: str
    body: str
    owner_id: str
    done: bool
    started: bool = False
    done_at: datetime | None = None
    record_ids: tuple[str, ...] = ()  # the contacts it hangs on; told by `list_tasks` alone


@dataclass(frozen=True, slots=True)
class CrmTaskPage:
    """Some of all tasks. `place`: where the next page begins, text of the CRM's; "" at the end."""

    tasks: Sequence[CrmTask]
    place: str


@dataclass(frozen=True, slots=True)
class CrmTaskWrite:
    """`trace`: the reference, one task's alone. `body` is HTML that the writer has already escaped.

    `again`: this very task may have been made already.
    """

    trace: str
    record_id: str
    owner_id: str
    subject: str
    body: str
    due_at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class CrmTaskChange:
    """What a task should say from now on; None leaves it as it is."""

    task_id: str
    subject: str | None = None
    body: str | None = None
    owner_id: str | None = None
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class CrmOwner:
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
    """A property of contacts. `type`: number, text, long_text, enumeration, datetime; of one that the
    account has also date, yes_no, other.

    `labels`: how people there read the options. `read_only`: nobody may write it over the API.
    """

    name: str
    label: str
    type: str
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    read_only: bool = False


class FirstField(NamedTuple):
    """One value that is written or read until a marketer decides otherwise. `source`, `policy` and
    `direction` are words of crm_sync.models.FieldMapping; `value` is a constant's."""

    source: str
    property: str
    policy: str
    value: str = ""
    direction: str = "out"


@dataclass(frozen=True, slots=True)
class CrmHint:
    """Something happened to a record there: a reason to look at it again, never a fact.

    `account_id`: whose record it is; "" when the hint does not say.
    """

    kind: Literal["contact", "deal"]
    record_id: str
    what: Literal["changed", "deleted", "restored", "merged", "erased", "associated"]
    occurred_at: datetime
    account_id: str = ""


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
    """Requests that were made and may be made; None where it is not known yet."""

    used_in_10s: int | None
    allowed_in_10s: int | None
    used_today: int | None
    allowed_today: int | None


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
    """One thing that set-up would create, or found wrong (`problem`) and leaves alone."""

    what: str
    problem: str = ""


class CrmError(Exception):
    """What went wrong between us and the CRM, in a sentence for a person."""


class CrmBusy(CrmError):
    """Not now: a rate limit, a lock, the CRM down. Nothing was done; ask again after `retry_after` seconds.

    `shared`: the CRM says so of all our requests, not of this one.
    """

    def __init__(self, sentence: str, retry_after: float = 10.0, *, shared: bool = False) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        self.shared = shared


class CrmPaced(CrmBusy):
    """Our own budget of requests is used up for the moment; the CRM was not asked."""


class CrmSilent(CrmError):
    """No usable answer to a write: we do not know whether it happened. Look before asking again."""


class CrmRefused(CrmError):
    """The CRM will not take this record as it is. `properties`: name -> reason, those at fault.

    `existing_id`: the record that already has the unique value, when that is the reason.
    """

    def __init__(
        self, sentence: str, properties: Mapping[str, str] | None = None, existing_id: str = ""
    ) -> None:
        super().__init__(sentence)
        self.properties = dict(properties or {})
        self.existing_id = existing_id


class CrmMissing(CrmError):
    """The record that was named is not there (archived, erased, never was)."""


class CrmDenied(CrmError):
    """The account does not let us: token revoked, scope missing, limit of the day, other account."""


class CrmOff(CrmDenied):
    """No CRM is connected."""


class CrmForged(CrmError):
    """A request that nobody can show to be the CRM's; the sentence says why.

    `signed`: it claims to be.
    """

    def __init__(self, sentence: str, *, signed: bool = True) -> None:
        super().__init__(sentence)
        self.signed = signed


class CrmWebhooks(Protocol):
    """What the CRM sends by itself, if it does: `enabled`."""

    enabled: bool

    def hints(self, posted: Posted, at: datetime) -> Sequence[CrmHint]:
        """What a request of the CRM's speaks of; nothing when it cannot be read. Raises CrmForged."""


class Crm(Protocol):
    """Every method may raise CrmBusy, CrmDenied, CrmSilent (reads: CrmBusy instead of CrmSilent).

    Inputs may be of any length; an adapter cuts them into the CRM's batches. Methods that write
    several things answer per trace (or id) with the result or the error of that one thing; CrmDenied
    and CrmBusy for everything are raised when nothing of the call was done.
    """

    connected: bool
    # Tells one token from another without giving it away.
    identity: str
    # Our lifecycle stage -> the CRM's value for it, in ascending order.
    lifecycle_words: Mapping[str, str]
    # Every call that is ever made, and every value that is sent or read.
    calls: Sequence[CrmCall]
    fields: Sequence[CrmField]

    def with_priority(self, priority: Lane) -> "Crm":
        """The same CRM, asked with another claim to the shared budget of requests."""

    def room(self) -> float:
        """Seconds until a request of this lane would be let through; 0 when it would be now."""

    def budget(self) -> CrmBudget:
        """What of the budget is used, without asking the CRM."""

    def account(self) -> CrmAccount: ...

    def contacts_by_id(
        self, record_ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]:
        """By the id asked; a merged record answers under the old id with its new `record_id`."""

    def contacts_by_email(
        self, emails: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, CrmContact]: ...

    def archived_contacts(self, record_ids: Sequence[str]) -> set[str]:
        """Those of them that were deleted so that a person can still restore them."""

    def opt_out(self, emails: Sequence[str]) -> Mapping[str, CrmError | None]:
        """Let nobody there send mail to these addresses; safe to repeat. By address: None when done."""

    def save_contacts(
        self, writes: Sequence[CrmContactWrite]
    ) -> Mapping[str, CrmContact | CrmError]:
        """Create or update; safe to repeat. A CrmRefused names the properties at fault."""

    def company_owners(self, record_ids: Sequence[str]) -> Mapping[str, str]:
        """The owner of each contact's company, by the contact's record id; none: left out."""

    def create_tasks(
        self,
        writes: Sequence[CrmTaskWrite],
        *,
        guarded: bool = False,
        until: float | None = None,
    ) -> Mapping[str, CrmTask | CrmError]:
        """Make tasks that hang on their contact.

        `until`: the reading of time.monotonic() after which nothing may be sent any more; it is
        asked immediately before sending, and then CrmBusy is raised.

        `guarded`: the account refuses a second task of one reference (see `guards_tasks`): asking
        again is safe and answers the task that is there. Otherwise it is NOT safe to repeat, and
        CrmSilent means look first.
        """

    def guards_tasks(self) -> bool:
        """Whether the account is set up to refuse a second task of one reference."""

    def tasks_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmTask]]:
        """All tasks of contacts, read after write (never from a search index)."""

    def tasks(self, task_ids: Sequence[str]) -> Mapping[str, CrmTask]:
        """Those of them that are there."""

    def archived_tasks(self, task_ids: Sequence[str]) -> set[str]:
        """Those of them that somebody has deleted of late."""

    def list_tasks(self, marker: str, place: str = "") -> CrmTaskPage:
        """Read one page of the list of all tasks from a place on: those with a text in their body,
        with the contacts they hang on. A place may be hours old; what is made meanwhile comes last.
        """

    def change_tasks(self, changes: Sequence[CrmTaskChange]) -> Mapping[str, CrmTask | CrmError]:
        """By task id; safe to repeat."""

    def associate_tasks(self, record_of: Mapping[str, str]) -> None:
        """Put tasks on contacts: task id -> record id; safe to repeat."""

    def archive_tasks(self, task_ids: Sequence[str]) -> None:
        """Delete tasks, so that a person can still restore them; safe to repeat."""

    def owners(self) -> Sequence[CrmOwner]: ...

    def stages(self) -> Sequence[CrmStage]: ...

    def deals_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[CrmDeal]]: ...

    def deal_ids_of(self, record_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The ids of contacts' deals, read after write, without reading the deals."""

    def changes(self, kind: ChangeKind, since: datetime) -> Iterator[Sequence[CrmChange]]:
        """Records changed at `since` (the CRM's clock) or later, oldest first, in parts, each once.

        What the CRM's index does not show yet is not among them, nor are deleted records. One
        that is changed while this goes on may come again with its new time.
        """

    def newest_change(self, kind: ChangeKind) -> datetime | None:
        """The latest change that `changes` would tell; None when there is no record."""

    def contacts_of_deals(self, deal_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The record ids of the contacts that each deal hangs on, read after write."""

    def properties(self) -> Sequence[CrmProperty]:
        """All properties of contacts that the account has."""

    def lead_statuses(self) -> Sequence[str]:
        """The values that the account's lead status takes."""

    def set_up(self, wanted: Sequence[CrmProperty], *, plan: bool) -> Sequence[SetUpStep]:
        """Create what is missing (`plan`: only say it); report what is of the wrong type."""

    def audit(
        self, wanted: Sequence[CrmProperty], last_written: Sequence[str], at: datetime
    ) -> CrmAudit:
        """What would keep handoffs from working, found by asking; changes nothing.

        `wanted`: properties that exist only for us; `written`: all that the mapping writes.
        """

    def contact_url(self, record_id: str) -> str:
        """Where a person opens the record; "" when that is not known."""


class NotConnected:
    """The CRM that is not there: every question is refused with the reason.

    `setting`: the one that would connect it.
    """

    def __init__(self, setting: str) -> None:
        self._setting = setting

    connected = False
    identity = ""
    lifecycle_words: Mapping[str, str] = {}
    calls: Sequence[CrmCall] = ()
    fields: Sequence[CrmField] = ()

    def with_priority(self, priority: Lane) -> "NotConnected":
        return self

    def room(self) -> float:
        return 0.0

    def budget(self) -> CrmBudget:
        return CrmBudget(None, None, None, None)

    def contact_url(self, record_id: str) -> str:
        return ""

    def __getattr__(self, name: str) -> "NotConnected":
        return self

    def __call__(self, *args: object, **kwargs: object) -> "NotConnected":
        raise CrmOff(f"No CRM is connected: {self._setting} is not set.")
