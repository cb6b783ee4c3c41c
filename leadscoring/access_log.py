"""The access log of people: who read whom, when, by which way.

What shows a person says so with `note_people`, wherever it is; an answer (access_middleware) or a print
that shows anybody makes one entry before it leaves. If the entry cannot be written, nothing is shown.
"""

import os
import pwd
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

from django.conf import settings

from leadscoring.models import AccessEntry, Alias, Contact

# The ids of the people whom the request or command under way shows. None: nobody looks.
_shown: ContextVar[set[int] | None] = ContextVar("people_shown", default=None)


def note_people(contact_ids: Iterable[int | None]) -> None:
    """Remember whom the answer under way shows. Without a reader, as in a worker, do nothing."""
    shown = _shown.get()
    if shown is not None:
        shown.update(pk for pk in contact_ids if pk)


@contextmanager
def collect_people() -> Iterator[set[int]]:
    """Collect the ids of the people who are shown inside."""
    shown: set[int] = set()
    token = _shown.set(shown)
    try:
        yield shown
    finally:
        _shown.reset(token)


def record_command(command: str, at: datetime) -> None:
    """Write the entry of a command that is about to print people, if it is."""
    people = _shown.get()
    if people:
        AccessEntry.objects.create(
            at=at,
            way=AccessEntry.Way.COMMAND,
            place=command,
            by=_system_user(),
            people=sorted(people),
        )


def _system_user() -> str:
    """Return who runs this process. Of an unknown user, as in a container, the number."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


# --- reading the log


def numbers_of(contact_ids: Collection[int]) -> list[int]:
    """Return the ids by which contacts may stand in entries: theirs, and of those merged into them."""
    former = Alias.objects.filter(contact__in=contact_ids).values_list("number", flat=True)
    return sorted({*contact_ids, *former})


def contacts_of(numbers: Collection[int]) -> list[Contact]:
    """Return who is behind the ids of an entry by now; who was erased is nobody."""
    into = Alias.objects.filter(number__in=numbers).values_list("contact", flat=True)
    return list(Contact.objects.filter(pk__in={*numbers, *into}).order_by("pk"))


# --- retention


def prune_access_log(at: datetime) -> int:
    """Delete entries older than ACCESS_LOG_DAYS; return how many it was."""
    return AccessEntry.objects.prune(at - timedelta(days=settings.ACCESS_LOG_DAYS))
