"""Map Salesforce's error answers to the port's errors, by a table of error codes.

The status says little: 403 is "busy" or "denied", 400 a bad value or a locked row. The body is a list
of errors for a whole request and for a row, an object from the log-in, and HTML from the edge.
docs/salesforce-facts.md#error-body
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync.port import (
    CrmBusy,
    CrmDenied,
    CrmError,
    CrmMissing,
    CrmRejected,
    CrmSilent,
    CrmUnexplained,
)
from crm_sync.salesforce.transport.calls import SalesforceCall
from crm_sync.transport.http import RawAnswer
from crm_sync.transport.json_body import parse_json
from leadscoring.common.text import bounded_line

# Seconds. docs/salesforce-facts.md#limits
AFTER_THE_DAYS_LIMIT, AFTER_TOO_MANY_AT_ONCE, AFTER_A_LOCK = 900.0, 5.0, 5.0
AFTER_MAINTENANCE = 60.0
USED_UP = (
    "The org's limit of calls in 24 hours is used up, by all its programs together; "
    "it is tried again every 15 minutes."
)
REASONS = {
    "REQUIRED_FIELD_MISSING": "Salesforce requires a value",
    "STRING_TOO_LONG": "the value is too long",
    "INVALID_EMAIL_ADDRESS": "Salesforce does not take it as an e-mail address",
    "NUMBER_OUTSIDE_VALID_RANGE": "the number is too large or too small",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "the value is none of the field's options",
    "INVALID_FIELD": "there is no such field, or the integration user may not see it",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "the integration user may not change the field",
    "MALFORMED_ID": "the value is no id",
    "INACTIVE_OWNER_OR_USER": "the user is not active",
}
COLUMN = re.compile(r"No such column '(\w{1,80})'")
ORG_LIMIT = re.compile(r"LimitException|CPU time limit|Too many|timed? ?out", re.IGNORECASE)
DELETED_RECORD = "the record is deleted, or it is not shown to the integration user"


@dataclass(frozen=True, slots=True)
class SalesforceFault:
    """One error of an answer. `whole`: it is of the whole request, not of one row in it."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    status: int = 400
    whole: bool = True

    @property
    def reason(self) -> str:
        return REASONS.get(self.code) or bounded_line(self.message or self.code, 200)


class StaleFields(CrmUnexplained):
    """A field or object that was described is not there any more, or not for us: describe anew."""


class OrgCodeLimit(CrmUnexplained):
    """Triggers or flows of the org ran into a limit of Salesforce's: fewer rows at once may pass."""


class RecordMoved(CrmMissing):
    """The record is deleted, merged into another, or a lead that was converted."""


class DuplicateReference(CrmRejected):
    """Another record has the unique value."""


class DuplicateRuleBlock(CrmRejected):
    """A duplicate rule of the org does not let the record be created."""


Kind = Callable[[SalesforceCall, SalesforceFault], CrmError]


def error_from_answer(call: SalesforceCall, answer: RawAnswer) -> CrmError:
    """Return the error for an answer that is not 2xx."""
    return error_from_body(call, answer.status, parse_json(answer.body))


def error_from_body(call: SalesforceCall, status: int, body: Any) -> CrmError:
    """Return the error for an error body: of a whole request, or of one query in a composite."""
    faults = [_fault(each, status, "errorCode") for each in _dicts(body)]
    if not faults:
        fault = SalesforceFault("", f"status {status}", status=status)
        return _by_status(status)(call, fault)
    return _error(call, faults)


def error_from_row(call: SalesforceCall, row: Mapping[str, Any]) -> CrmError:
    """Return the error for one row of a collection that was not carried out."""
    found = [_fault(each, 400, "statusCode", whole=False) for each in _dicts(row.get("errors"))]
    error = _error(call, found or [SalesforceFault("", "it was refused", whole=False)])
    # The row's answer is there, and says that nothing was done.
    return CrmBusy(str(error)) if isinstance(error, CrmSilent) else error


def silence_error(call: SalesforceCall, why: str) -> CrmError:
    """Return the error for an unknown outcome: CrmBusy if the call may be repeated, else CrmSilent."""
    if call.retry:
        return CrmBusy(
            f"Salesforce did not answer when asked to {call.purpose}: {why.rstrip('.')}."
        )
    return CrmSilent(
        f"Salesforce did not answer when asked to {call.purpose}: {why.rstrip('.')}. It may have been done."
    )


def rejected_fields_error(faults: Mapping[str, str]) -> CrmRejected:
    """Return the error for rejected values. The message names the first ten."""
    listed = "; ".join(f"{name}: {why}" for name, why in list(faults.items())[:10])
    return CrmRejected(f"Salesforce does not take the values: {listed}.", faults)


def _error(call: SalesforceCall, faults: Sequence[SalesforceFault]) -> CrmError:
    """Return the error of the first fault; of its kind, name the fields of all."""
    first = faults[0]
    error = BY_CODE.get(first.code, _by_status(first.status))(call, first)
    if type(error) is CrmRejected and error.properties:
        return rejected_fields_error(
            {field: fault.reason for fault in faults for field in fault.fields}
        )
    return error


def _fault(
    found: Mapping[str, Any], status: int, code: str, *, whole: bool = True
) -> SalesforceFault:
    """`code`: the key of the error code, which differs between requests and rows."""
    named = found.get("fields")
    return SalesforceFault(
        bounded_line(found.get(code) or found.get("errorCode") or "", 80),
        bounded_line(found.get("message") or "", 300),
        tuple(bounded_line(each, 100) for each in named) if isinstance(named, list) else (),
        status,
        whole,
    )


def _dicts(found: Any) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _refused(call: SalesforceCall, fault: SalesforceFault) -> CrmRejected:
    """Return the error with the fields at fault; without any the cause is in the org."""
    if fault.fields:
        return rejected_fields_error(dict.fromkeys(fault.fields, fault.reason))
    return CrmUnexplained(f"Salesforce refused when asked to {call.purpose}: {fault.reason}")


def _unseen_field(call: SalesforceCall, fault: SalesforceFault) -> CrmRejected:
    column = COLUMN.search(fault.message)
    fields = fault.fields or ((column[1],) if column else ())
    what = f"Salesforce does not show us a field when asked to {call.purpose}: {fault.message}"
    return StaleFields(what, dict.fromkeys(fields, fault.reason))


def _moved(call: SalesforceCall, fault: SalesforceFault) -> CrmError:
    """Return that the record itself is missing, or which of the records that it names."""
    if fault.fields and fault.fields != ("Id",):
        return rejected_fields_error(dict.fromkeys(fault.fields, DELETED_RECORD))
    if fault.whole and not call.names_record:
        return _wrong_path(call, fault)
    return RecordMoved(f"Salesforce does not have what it was asked for: {fault.reason}")


def _duplicate(call: SalesforceCall, fault: SalesforceFault) -> CrmRejected:
    return DuplicateReference(f"Another record has the same value: {fault.reason}")


def _duplicate_rule(call: SalesforceCall, fault: SalesforceFault) -> CrmRejected:
    return DuplicateRuleBlock(
        "A duplicate rule of the org does not let the record be created: it takes somebody else for "
        f"the same person ({fault.reason})."
    )


def _org_code(call: SalesforceCall, fault: SalesforceFault) -> CrmRejected:
    if ORG_LIMIT.search(fault.message):
        return OrgCodeLimit(f"The org's own code ran into a limit: {fault.reason}")
    return _refused(call, fault)


def _no_session(call: SalesforceCall, fault: SalesforceFault) -> CrmDenied:
    return CrmDenied(
        "Salesforce does not accept the session that it has just given us. Look at the app's policies "
        "and at the integration user."
    )


def _denied(call: SalesforceCall, fault: SalesforceFault) -> CrmError:
    if not fault.whole:
        return _refused(call, fault)
    return CrmDenied(
        f"Salesforce does not allow the integration user to {call.purpose}: {fault.reason}"
    )


def _limit(call: SalesforceCall, fault: SalesforceFault) -> CrmBusy:
    # docs/salesforce-facts.md#limits
    if "concurrent" in fault.message.lower():
        sentence = "Salesforce is working on too many long calls of the org at this moment."
        return CrmBusy(sentence, AFTER_TOO_MANY_AT_ONCE, shared=True)
    return CrmBusy(USED_UP, AFTER_THE_DAYS_LIMIT, shared=True)


def _locked(call: SalesforceCall, fault: SalesforceFault) -> CrmBusy:
    return CrmBusy("Somebody is changing the same records in Salesforce.", AFTER_A_LOCK)


def _unavailable(call: SalesforceCall, fault: SalesforceFault) -> CrmBusy:
    return CrmBusy("Salesforce is not available at the moment.", AFTER_MAINTENANCE, shared=True)


def _unclear(call: SalesforceCall, fault: SalesforceFault) -> CrmError:
    return silence_error(call, fault.reason)


def _elsewhere(call: SalesforceCall, fault: SalesforceFault) -> CrmDenied:
    return CrmDenied(
        "SALESFORCE_LOGIN_URL answers with a redirect: give the org's own address (My Domain), such as "
        "https://example.my.salesforce.com."
    )


def _wrong_path(call: SalesforceCall, fault: SalesforceFault) -> CrmError:
    if call.names_record:
        return RecordMoved(
            f"Salesforce does not have what it was asked for ({call.purpose}): {fault.reason}"
        )
    return CrmDenied(
        "Salesforce does not have the version of its interface that SALESFORCE_API_VERSION names, or "
        f"not for this org: {fault.reason}"
    )


def _by_status(status: int) -> Kind:
    by_hundred = {3: _elsewhere, 4: _refused}
    return BY_STATUS.get(status, by_hundred.get(status // 100, _unclear))


BY_STATUS: Mapping[int, Kind] = {
    401: _no_session,
    403: _denied,
    404: _wrong_path,
    408: _unclear,
    410: _wrong_path,
    429: _limit,
    # 5xx leave the outcome open, 503 without a code of Salesforce's too.
    # docs/salesforce-facts.md#unknown-outcomes
}
BY_CODE: Mapping[str, Kind] = {
    "INVALID_SESSION_ID": _no_session,
    "UNABLE_TO_LOCK_ROW": _locked,
    "REQUEST_LIMIT_EXCEEDED": _limit,
    "SERVER_UNAVAILABLE": _unavailable,
    "QUERY_TIMEOUT": _unclear,
    "INVALID_QUERY_LOCATOR": _unclear,
    "UNKNOWN_EXCEPTION": _unclear,
    "DUPLICATE_VALUE": _duplicate,
    "DUPLICATE_EXTERNAL_ID": _duplicate,
    "DUPLICATES_DETECTED": _duplicate_rule,
    "INVALID_FIELD": _unseen_field,
    "INVALID_FIELD_FOR_INSERT_UPDATE": _unseen_field,
    "INVALID_TYPE": _unseen_field,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": _org_code,
    "APEX_ERROR": _org_code,
    "CANNOT_UPDATE_CONVERTED_LEAD": lambda call, fault: RecordMoved(fault.reason),
    "ENTITY_IS_DELETED": _moved,
    "NOT_FOUND": _moved,
    "INVALID_CROSS_REFERENCE_KEY": _moved,
    "MALFORMED_ID": _moved,
    "API_DISABLED_FOR_ORG": _denied,
    "API_CURRENTLY_DISABLED": _denied,
    "INSUFFICIENT_ACCESS": _denied,
    "INSUFFICIENT_ACCESS_OR_READONLY": _denied,
    "UNSUPPORTED_API_VERSION": _wrong_path,
}
