"""What somebody chose for an uploaded file, as the importer takes it.

Kept as `{"sheet", "encoding", "delimiter", "decimal", "time_form", "zone", "id_source", "columns", "header",
"written_with"}`; the last two are the titles and the delimiter as the file has them. Columns are
place -> what is in it: a field, `property:NAME`, `wish` (who wants no mail, as its title says), or "" for nothing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from leadscoring.extensions import file_kinds
from leadscoring.intake.csv_import import importer
from leadscoring.intake.csv_import.columns import Choices
from leadscoring.intake.csv_import.importer import ImportKind
from leadscoring.intake.csv_import.wishes import REFUSED_MAIL, UNSUBSCRIBED
from leadscoring.intake.validation import MOST_KEYS
from leadscoring.models import Import

SOURCE = "import"  # of activities that name none
WISH, PROPERTY, NOTHING = "wish", "property:", ""
# What is told by name: labels of fields, in the order in which a page offers them.
FIELDS: Mapping[str, str] = {
    "email": "E-mail address",
    "external_id": "Id",
    "first_name": "First name",
    "last_name": "Last name",
    "company": "Company",
    "job_title": "Job title",
    "phone": "Phone",
    "country": "Country",
    "company_size": "Number of employees",
    "type": "What they did",
    "occurred_at": "When",
    "event_id": "Id of the event",
    "source": "Where it comes from",
    "reason": "Reason",
}
WISHES: Mapping[str, str] = {
    WISH: "Who wants no mail (as its title says)",
    UNSUBSCRIBED: "Who unsubscribed",
    REFUSED_MAIL: "Whose address refused mail",
}


def kind_of(row: Import) -> ImportKind:
    """Return what the rows of a file are."""
    id_source = str(row.choices.get("id_source", ""))
    if row.kind == Import.Kind.PEOPLE:
        return importer.contact_rows(id_source)
    if row.kind == Import.Kind.ACTIVITIES:
        return importer.activity_rows(SOURCE, id_source)
    return file_kinds[row.kind]()


def reading_of(chosen: Mapping[str, Any]) -> Choices:
    """Return how the cells of a file are read, without its columns."""
    return Choices(
        encoding=chosen.get("encoding", ""),
        delimiter=chosen.get("delimiter", ""),
        sheet=chosen.get("sheet", ""),
        decimal=chosen.get("decimal", ""),
        zone=ZoneInfo(chosen.get("zone") or "UTC"),
        time_form=chosen.get("time_form", ""),
    )


def importer_choices(chosen: Mapping[str, Any]) -> Choices:
    columns: Mapping[str, str] = chosen["columns"]
    return replace(
        reading_of(chosen),
        columns={
            target.removeprefix(PROPERTY): f"#{int(place) + 1}"
            for place, target in columns.items()
            if target not in (WISH, NOTHING)
        },
        only_mapped=True,
        ignored=frozenset(int(place) for place, target in columns.items() if target == NOTHING),
    )


def problem_of(kind: ImportKind, columns: Mapping[str, str]) -> str:
    """Return why columns cannot be taken like that, "" when they can."""
    chosen = [target for target in columns.values() if target not in (WISH, NOTHING)]
    names = Counter(target.removeprefix(PROPERTY) for target in chosen)
    twice = [name for name, times in names.items() if times > 1]
    if twice:
        return f"Two columns are {label_of(twice[0])}: choose one of them."
    identified = {"email", "external_id"} & kind.fields.keys() & set(chosen)
    if not identified:
        either = " or the id" if "external_id" in kind.fields else ""
        return f"Choose the column that has the e-mail address{either}."
    if "type" in kind.fields and "type" not in chosen:
        return "Choose the column that says what people did."
    if sum(target.startswith(PROPERTY) for target in chosen) > MOST_KEYS:
        return f"At most {MOST_KEYS} columns can be properties: leave some out."
    return ""


def label_of(target: str) -> str:
    label = FIELDS.get(target) or WISHES.get(target)
    return f"“{label}”" if label else f"the property “{target}”"
