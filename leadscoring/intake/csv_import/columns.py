"""Which column of a file is which field, and a row of it as an item for intake."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadscoring.intake.csv_import.reader import UnreadableFile

# Field -> how exports of CRMs, mail tools and address books, and people, call it, the surest
# first, in lower case with all but letters and digits as one space.
WHO = {
    "email": [
        "email", "email address", "e mail", "e mail address", "work email", "business email",
        "primary email", "contact email", "e mail 1 value", "mail", "email adresse",
    ],
    "external_id": ["external id", "record id", "contact id", "lead id", "prospect id",
        "customer id", "user id", "person id", "record id contact"],
}  # fmt: skip
PERSON = {
    **WHO,
    "external_id": [*WHO["external_id"], "id", "18 digit id"],
    "first_name": ["first name", "firstname", "given name", "forename", "fname", "vorname"],
    "last_name": ["last name", "lastname", "surname", "family name", "lname", "nachname"],
    "company": ["company", "company name", "account name", "organization", "organisation",
        "organization name", "organization 1 name", "associated company", "employer", "account"],
    "job_title": ["job title", "jobtitle", "title", "position", "organization title",
        "organization 1 title", "role"],
    "phone": ["phone", "phone number", "telephone", "work phone", "business phone", "phone 1 value",
        "mobile", "mobile phone", "mobile phone number", "mobile number", "tel"],
    "country": ["country", "country region", "country name", "mailing country", "billing country",
        "address 1 country"],
    # A property that the starting model asks for.
    "company_size": ["company size", "number of employees", "employees", "no of employees",
        "num employees", "headcount"],
}  # fmt: skip
ACTIVITY = {
    **WHO,
    "type": ["type", "activity type", "event type", "event", "event name", "activity", "action"],
    "occurred_at": ["occurred at", "timestamp", "event timestamp", "event time", "time",
        "date time", "datetime", "activity date", "event date", "created at", "date"],
    "event_id": ["event id", "activity id", "message id", "uuid", "id"],
    "source": ["source", "event source"],
}  # fmt: skip
PROPERTIES = {"company_size"}
OURS = ["line", "reason"]  # the columns that the error file adds at the end
# Full-width signs count, too: some spreadsheets read them as the others.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
APOSTROPHE = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def escape_formula(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def unescape_formula(cell: str) -> str:
    """Undo `escape_formula`."""
    return cell[1:] if APOSTROPHE.match(cell) else cell


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of cells: by field, and by property for all others."""

    fields: Mapping[str, int]
    properties: Mapping[str, int]
    titles: Sequence[str]  # as the file has them, without ours
    mended: bool  # it is an error file of ours that comes back

    def item(self, cells: Sequence[str]) -> dict[str, Any]:
        """Return a row as intake takes it. An empty cell says nothing, so it clears nothing."""
        item: dict[str, Any] = {
            name: cell for name, place in self.fields.items() if (cell := cells[place].strip())
        }
        properties = {
            name: cell for name, place in self.properties.items() if (cell := cells[place].strip())
        }
        return {**item, "properties": properties} if properties else item


def match_columns(
    header: Sequence[str], known: Mapping[str, Sequence[str]], wanted: Mapping[str, str]
) -> Columns:
    """Find the columns of a file: those asked for (name -> column), then those recognized by their titles.

    Raise UnreadableFile when no column identifies a contact.
    """
    mended = [name.lower() for name in header[-2:]] == OURS
    titles = [unescape_formula(name) for name in header[:-2]] if mended else header
    places = {place: name for place, name in enumerate(titles) if name}
    chosen = _requested_columns(places, wanted)
    for field, names in known.items():
        if (
            field not in chosen
            and (place := _guess_column(places, names, chosen.values())) is not None
        ):
            chosen[field] = place
    fields = {
        name: place for name, place in chosen.items() if name in known and name not in PROPERTIES
    }
    if not {"email", "external_id"} & set(fields) or ("type" in known and "type" not in fields):
        raise UnreadableFile(_missing_columns(header, "type" in known))
    others = {place: name for place, name in places.items() if place not in chosen.values()}
    return Columns(
        fields,
        {name: place for name, place in chosen.items() if name not in fields}
        | _property_names(others),
        titles,
        mended,
    )


def _requested_columns(places: Mapping[int, str], wanted: Mapping[str, str]) -> dict[str, int]:
    chosen = {}
    for name, column in wanted.items():
        found = [
            place
            for place, title in places.items()
            if _normalize_title(title) == _normalize_title(column)
        ]
        exact = [place for place, title in places.items() if title == column]
        if len(exact or found) != 1:
            many = "is there more than once" if found else "is not there"
            raise UnreadableFile(
                f"Column {column!r} {many}; there are: {', '.join(places.values())}."
            )
        chosen[name] = (exact or found)[0]
    return chosen


def _guess_column(
    places: Mapping[int, str], names: Sequence[str], taken: Iterable[int]
) -> int | None:
    """Return the column with the surest of the names; raise UnreadableFile when two have the same."""
    taken = set(taken)
    for name in names:
        found = [
            place
            for place, title in places.items()
            if place not in taken and _normalize_title(title) == name
        ]
        if len(found) > 1:
            raise UnreadableFile(f"Column {places[found[0]]!r} is there {len(found)} times.")
        if found:
            return found[0]
    return None


def _missing_columns(header: Sequence[str], of_activities: bool) -> str:
    if any("@" in name for name in header):
        return "The file has no header: its first line is already a row."
    wanted = "email or external_id" + (", and type" if of_activities else "")
    shown = ", ".join(name[:40] for name in header[:20])
    return f"No column is known as {wanted}; say which with --map NAME=COLUMN. There are: {shown}."


def _property_names(others: Mapping[int, str]) -> dict[str, int]:
    """Return names of properties, made from the titles to fit rules; the second of a name is name_2."""
    properties: dict[str, int] = {}
    for place, title in others.items():
        name = _normalize_title(title).replace(" ", "_")[:90] or f"column_{place + 1}"
        number = 2
        unique = name
        while unique in properties:
            unique, number = f"{name}_{number}", number + 1
        properties[unique] = place
    return properties


def _normalize_title(title: str) -> str:
    return re.sub(r"[\W_]+", " ", title.lower()).strip()
