"""The values sent to the CRM and read from it, and of how many records: counted, not estimated."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from crm_sync.models import Deal, FieldMapping, Handoff, Link, Owner, Stage
from crm_sync.port import CrmField
from leadscoring.common.bulk_sql import run_statement

WRITTEN = """
    SELECT name, count(*) FROM crm_sync_link CROSS JOIN LATERAL jsonb_object_keys(last_written) AS name
    GROUP BY name
"""


def sent_fields(
    fields: Iterable[CrmField], mappings: Sequence[FieldMapping]
) -> list[dict[str, Any]]:
    """Return what the mapping sends or an earlier one has sent, then what is always sent."""
    last_written = counts_of_written()
    names = dict.fromkeys([*(each.property for each in mappings), *sorted(last_written)])
    mapped = {each.property: each for each in mappings}
    rows = [usage_row("contact", name, last_written[name], mapped.get(name)) for name in names]
    counts = counts_of_records()
    return rows + [
        usage_row(each.record, each.name, counts[each.record]) for each in fields if each.sent
    ]


def read_fields(
    fields: Iterable[CrmField], mappings: Sequence[FieldMapping]
) -> list[dict[str, Any]]:
    """Return the contacts' properties that the mapping overwrites or takes, then what is always read."""
    counts = counts_of_records()
    rows = [
        usage_row(each.record, each.name, counts[each.record]) for each in fields if not each.sent
    ]
    known = {each.name for each in fields if each.record == "contact" and not each.sent}
    mapped = [each.property for each in mappings if each.property not in known]
    return [usage_row("contact", name, counts["contact"]) for name in mapped] + rows


def usage_row(
    record: str, name: str, count: int | None, mapping: FieldMapping | None = None
) -> dict[str, Any]:
    """Return one row of the list. `count`: of how many records; None where it is unknown here."""
    policy = {"source": mapping.source, "policy": mapping.policy} if mapping else {}
    return {"record": record, "name": name, "count": count, **policy}


def counts_of_written() -> Counter[str]:
    """Return, by property, the number of records to which we have written it."""
    return Counter(dict(run_statement(WRITTEN)))


def counts_of_records() -> dict[str, int | None]:
    """Return how many records of each kind are known here; None for kinds that are not stored."""
    return {
        "contact": Link.objects.count(),
        "task": Handoff.objects.delivered().count(),
        "deal": Deal.objects.count(),
        "rep": Owner.objects.count(),
        "stage": Stage.objects.count(),
        "company": None,
        "account": None,
    }
