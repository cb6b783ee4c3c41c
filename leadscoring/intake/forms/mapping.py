"""What the fields of a form become: by its rows in the admin, else guessed by their names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from leadscoring.engine.lookups import is_missing, number_of, text_of, truth_of
from leadscoring.intake.csv_import.titles import (
    OTHERWISE,
    PERSON,
    PROPERTIES,
    UNWANTED,
    WANTED,
    normalize_title,
)
from leadscoring.intake.forms.paste import VISITOR
from leadscoring.intake.segment import fit_properties
from leadscoring.models import FormField

Becomes = FormField.Becomes
Values = Mapping[str, object]  # what was filled in, by field
PROFILE = ("first_name", "last_name", "company", "job_title", "phone", "country")
FULL_NAMES = {"name", "full name", "your name", "contact name", "vollständiger name", "nom complet",
              "nombre completo", "nome completo", "nome e cognome", "氏名", "お名前"}  # fmt: skip
NAMED = {VISITOR: Becomes.VISITOR}  # a hidden field of ours
# Of a field whose text is several values, as of boxes that were ticked.
BETWEEN = ", "


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a field becomes; `property`: the name of a property of the person."""

    becomes: str
    property: str = ""


@dataclass(slots=True)
class MappedForm:
    """What was filled in, sorted. `named`: by our field, what the form calls it."""

    email: str = ""
    visitor: str = ""
    time: str = ""
    event_id: str = ""
    profile: dict[str, object] = field(default_factory=dict)
    properties: dict[str, object] = field(default_factory=dict)
    details: dict[str, object] = field(default_factory=dict)
    wishes: list[str] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)


def map_fields(
    values: Values,
    rows: Iterable[FormField],
    known: Mapping[str, str],
    other_names: Mapping[str, str],
) -> MappedForm:
    """Sort what was filled in. `known`: what the service says of a field. `other_names`: second name -> name."""
    meanings = _meanings(values, rows, known, other_names)
    mapped = MappedForm()
    for name, value in values.items():
        if not is_missing(value):
            _put(mapped, name, value, meanings.get(name, Meaning(Becomes.DETAIL)))
    mapped.details = fit_properties(mapped.details)
    return mapped


def _meanings(
    values: Values,
    rows: Iterable[FormField],
    known: Mapping[str, str],
    other_names: Mapping[str, str],
) -> dict[str, Meaning]:
    """Return what fields become: what a person chose, then what the service says, then what names say."""
    places = {normalize_title(name): name for name in reversed([*values])}
    places |= {name: name for name in values} | dict(other_names)
    meanings: dict[str, Meaning] = {}
    for row in rows:
        name = places.get(row.name) or places.get(normalize_title(row.name))
        if name is not None:
            meanings[name] = Meaning(row.becomes, row.property)
    for said in ({**known}, {name: guess for name in values if (guess := _guess(name))}):
        for name, becomes in said.items():
            _add_guess(meanings, name, becomes)
    return meanings


def _add_guess(meanings: dict[str, Meaning], name: str, becomes: str) -> None:
    """Let a field become what none does yet; of a person there is one address and one name."""
    guess = Meaning(Becomes.PROPERTY, becomes) if becomes in PROPERTIES else Meaning(becomes)
    if name not in meanings and (becomes == Becomes.NO_MAIL or guess not in meanings.values()):
        meanings[name] = guess


def _guess(name: str) -> str:
    if name in NAMED:
        return NAMED[name]
    title = normalize_title(name)
    if title in FULL_NAMES:
        return Becomes.NAME
    if UNWANTED.search(title) and not OTHERWISE.search(title):
        return Becomes.NO_MAIL
    return _titles().get(title, "")


@cache
def _titles() -> dict[str, str]:
    """Return what the titles of columns in files say of a person; an id in a form is nobody's."""
    return {
        title: name for name, titles in PERSON.items() if name != "external_id" for title in titles
    }


def _put(mapped: MappedForm, name: str, value: object, meaning: Meaning) -> None:
    text = _line(value)
    match meaning.becomes:
        case Becomes.EMAIL | Becomes.VISITOR | Becomes.TIME | Becomes.EVENT_ID:
            setattr(mapped, meaning.becomes, text)
            mapped.named[meaning.becomes] = name
        case Becomes.NAME:
            first, _, last = text.partition(" ")
            for ours, part in (("first_name", first), ("last_name", last.strip())):
                if part:
                    mapped.profile.setdefault(ours, part)
                    mapped.named.setdefault(ours, name)
        case Becomes.PROPERTY:
            mapped.properties[meaning.property] = value
        case Becomes.NO_MAIL:
            if _is_ticked(value):
                mapped.wishes.append(f"{name}: {text}")
        case Becomes.NOTHING:
            pass
        case ours if ours in PROFILE:
            mapped.profile[ours] = text
            mapped.named[ours] = name
        case _:
            mapped.details[name[:100]] = value


def _line(value: object) -> str:
    """Return a value as one line; of several texts the row of them."""
    if isinstance(value, list):
        value = BETWEEN.join(text for one in value if (text := text_of(one)))
    return " ".join((text_of(value) or "").split())


def _is_ticked(value: object) -> bool:
    """Whether a wish was made: a box that was not ticked is none."""
    word = normalize_title(_line(value))
    return (
        bool(word) and word not in WANTED and truth_of(value) is not False and number_of(value) != 0
    )
