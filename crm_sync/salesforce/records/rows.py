"""Write rows of records: up to 200 in a call, of which each has its own answer.

docs/salesforce-facts.md#collections
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync.salesforce.records.ids import full_id
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.transport.calls import SalesforceCall
from crm_sync.salesforce.transport.client import Json
from crm_sync.salesforce.transport.errors import OrgCodeLimit, error_from_row, silence_error
from crm_sync.transport.batches import Outcome

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """Values of one record. `record_id`: of an update, "" of a create."""

    trace: str
    sobject: str
    record_id: str
    values: Mapping[str, Any]

    def as_json(self) -> Json:
        record: Json = {"attributes": {"type": self.sobject}}
        if self.record_id:
            record["id"] = self.record_id
        return record | dict(self.values)


def write_rows(
    org: Org, call: SalesforceCall, batch: Sequence[Row], until: float | None = None
) -> Outcome[str]:
    """Return the id or the error of each row, by trace. Rows of one object stand together."""
    rows = sorted(batch, key=lambda row: row.sobject)
    body = {"allOrNone": False, "records": [row.as_json() for row in rows]}
    answers = org.client.ask(call, body, until=until)
    outcome: Outcome[str] = {
        row.trace: _answer_of(call, answer) for row, answer in zip(rows, answers, strict=False)
    }
    silence = silence_error(call, "it said nothing of this one")
    limits = [each for each in outcome.values() if isinstance(each, OrgCodeLimit)]
    if 1 < len(limits) == len(batch):
        raise limits[0]  # nothing was done: fewer rows are tried
    return {row.trace: outcome.get(row.trace, silence) for row in batch}


def _answer_of(call: SalesforceCall, answer: object) -> Any:
    if not isinstance(answer, dict) or "success" not in answer:
        return silence_error(call, "it said nothing of this one")
    if answer["success"] is not True:
        return error_from_row(call, answer)
    return full_id(str(answer.get("id") or "")) or silence_error(call, "it names no record")
