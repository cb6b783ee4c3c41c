"""What is known about a person: the profile, and the things they did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

Facts = Mapping[str, object]

KNOWN = (
    "email",
    "external_id",
    "first_name",
    "last_name",
    "company",
    "job_title",
    "phone",
    "country",
)
RESERVED = frozenset({*KNOWN, "email_domain"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person is, by name. A value that is absent, None or empty is not known."""

    values: Facts

    @classmethod
    def of(cls, fields: Facts, properties: Facts) -> Self:
        """Return the known fields (see KNOWN) over the free properties.

        The names of known fields are reserved: a property can't pose as one, not even when the
        field is empty. Other names in `fields` count for nothing. `email_domain` is derived,
        in lower case.
        """
        values = {name: value for name, value in properties.items() if name not in RESERVED}
        values.update((name, fields[name]) for name in KNOWN if name in fields)
        if domain := email_domain(fields.get("email")):
            values["email_domain"] = domain
        return cls(values)


def email_domain(email: object) -> str:
    """Return what stands behind the last @, in lower case; nothing when there is none."""
    return (
        email.rpartition("@")[2].strip().lower() if isinstance(email, str) and "@" in email else ""
    )


@dataclass(frozen=True, slots=True)
class ActivityFact:
    """One thing a contact did, at a UTC-aware time.

    `source` and `event_id` identify it. Without an `event_id` all of its values do, so two equal
    ones are one.
    """

    type: str
    at: datetime
    # A mapping has no hash; equality still compares it.
    properties: Facts = field(hash=False)
    source: str = ""
    event_id: str = ""

    @property
    def identity(self) -> object:
        return (self.source, self.event_id) if self.event_id else self
