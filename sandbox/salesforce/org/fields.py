"""What a field of an object is, and short ways to define one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

NUMBERS = ("double", "currency", "percent", "int")
CHOICES = ("picklist", "combobox", "multipicklist")
WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
LONG = 255  # a text area beyond it is neither filtered nor sorted


@dataclass
class Option:
    value: str
    label: str = ""
    active: bool = True
    default: bool = False


@dataclass
class Field:
    """`default`: what a new record gets when nothing is said. `lookup`: names of the objects it refers to,
    and `relationship` the name by which a query follows it. `indexed`: found without a scan.
    `metadata`: what a custom field was made from."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    default: Any = None
    createable: bool = True
    updateable: bool = True
    options: list[Option] = field(default_factory=list)
    restricted: bool = False
    lookup: tuple[str, ...] = ()
    relationship: str = ""
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    custom: bool = False
    indexed: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """`CreatedDate` is called Created Date when nothing else is said."""
        self.label = self.label or WORDS.sub(" ", self.name)

    @property
    def is_long(self) -> bool:
        return self.type == "textarea" and self.length > LONG

    @property
    def is_text(self) -> bool:
        return self.type in ("string", "textarea", "email", "phone", "url", *CHOICES)


def text(name: str, length: int = 255, label: str = "", **more: Any) -> Field:
    return Field(name, "string", label, length, **more)


def kind(type_: str, name: str, label: str = "", **more: Any) -> Field:
    """A field of another type, with the length that the type has."""
    length = {"email": 80, "phone": 40, "url": 255, "picklist": 255, "combobox": 255}.get(type_, 0)
    return Field(name, type_, label, **{"length": length} | more)


def number(name: str, precision: int, scale: int, type_: str = "double", **more: Any) -> Field:
    return Field(name, type_, precision=precision, scale=scale, **more)


def flag(name: str, label: str = "", **more: Any) -> Field:
    return Field(name, "boolean", label, **{"default": False} | more)


def choice(name: str, options: Iterable[str], label: str = "", **more: Any) -> Field:
    return Field(name, "picklist", label, 255, options=[Option(each) for each in options], **more)


def to(name: str, *objects: str, relationship: str = "", **more: Any) -> Field:
    """A lookup; `OwnerId` is followed as `Owner`, `X__c` as `X__r`."""
    return Field(
        name, "reference", length=18, lookup=objects, indexed=True,
        relationship=relationship or name.removesuffix("Id"), **more,
    )  # fmt: skip


def read_only(made: Field) -> Field:
    made.createable = made.updateable = False
    return made
