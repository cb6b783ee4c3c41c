"""The errors of a CRM, and what each means for the caller."""

from collections.abc import Mapping


class CrmError(Exception):
    """An error between us and the CRM, in a sentence for a person."""


class CrmBusy(CrmError):
    """Not now: a rate limit, a lock, the CRM down. Nothing was done; retry after `retry_after` seconds.

    `shared`: the CRM reports it of all our requests, not of this one.
    """

    def __init__(self, sentence: str, retry_after: float = 10.0, *, shared: bool = False) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        self.shared = shared


class CrmPaced(CrmBusy):
    """Our own budget of requests is used up for the moment; nothing was sent to the CRM."""


class CrmSilent(CrmError):
    """No usable response to a write: its outcome is unknown. Read before repeating it."""


class CrmRejected(CrmError):
    """The CRM rejects this record as it is. `properties`: name -> reason, those at fault.

    `existing_id`: the record that already has the unique value, when that is the reason.
    """

    def __init__(
        self, sentence: str, properties: Mapping[str, str] | None = None, existing_id: str = ""
    ) -> None:
        super().__init__(sentence)
        self.properties = dict(properties or {})
        self.existing_id = existing_id


class CrmUnexplained(CrmRejected):
    """The CRM rejects a write and names no value of it that is at fault.

    Its cause is outside the record: the account's plan, rules or required properties, or another
    record that the CRM does not show yet. The same write may pass later.
    """


class CrmOwnerRejected(CrmRejected):
    """The CRM does not accept the owner that we chose: without a seat, deactivated a moment ago."""


class CrmMissing(CrmError):
    """The CRM does not show the named record: archived, erased, or created a moment ago."""


class CrmDenied(CrmError):
    """The account does not permit it: token revoked, scope missing, daily limit, other account."""


class CrmOff(CrmDenied):
    """No CRM is connected."""


class CrmForged(CrmError):
    """A request that cannot be shown to be the CRM's; the sentence says why.

    `signed`: it claims to be the CRM's.
    """

    def __init__(self, sentence: str, *, signed: bool = True) -> None:
        super().__init__(sentence)
        self.signed = signed
