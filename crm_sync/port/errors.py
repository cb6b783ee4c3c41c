"""What goes wrong between us and a CRM, and what follows from it."""

from collections.abc import Mapping


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


class CrmRejected(CrmError):
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
