"""Which values go to the CRM and come from there, and of how many records: counted, not guessed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from crm_sync.models import Deal, FieldMapping, Handoff, Link, Owner, Stage
from crm_sync.port import CrmField

WRITTEN = """
    SELECT name, count(*) FROM crm_sync_link CROSS JOIN LATERAL jsonb_object_keys(last_written) AS name
    GROUP BY name
"""


def sent_fields(
    fields: Iterable[CrmField], mappings: Sequence[FieldMapping]
) -> list[dict[str, Any]]:
    """What the mapping sends, and what was sent by an earlier one; then what is sent in any case."""
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
    """What is read in any case, and of contacts what the mapping would write over or take."""
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
    """`count`: of how many records; None where it is not known here."""
    policy = {"source": mapping.source, "policy": mapping.policy} if mapping else {}
    return {"record": record, "name": name, "count": count, **policy}


def counts_of_written() -> Counter[str]:
    """Records that have our value of each property, as we last wrote it."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return Counter(dict(cursor.fetchall()))


def counts_of_records() -> dict[str, int | None]:
    """How many records of each kind are known here; None of those that are not kept."""
    return {
        "contact": Link.objects.count(),
        "task": Handoff.objects.delivered().count(),
        "deal": Deal.objects.count(),
        "rep": Owner.objects.count(),
        "stage": Stage.objects.count(),
        "company": None,
        "account": None,
    }
