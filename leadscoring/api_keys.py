"""Keys that let programs in. What is kept of one cannot be turned back into it."""

import hashlib
import secrets
from collections.abc import Container
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Q, QuerySet

from leadscoring.intake import sources
from leadscoring.intake.activities import OWN_SOURCES
from leadscoring.models import ApiKey, Source

PREFIX_SHOWN = 10
NOTED_EVERY = timedelta(minutes=1)


def check_name(name: str) -> None:
    """Raise ValueError with a sentence for a name that no key may have."""
    sources.check_free(name, Source.Kind.KEY)


def create_key(name: str, *, write_only: bool = False) -> tuple[ApiKey, str]:
    """Return a new key and its text, which is stored nowhere. Raise IntegrityError when the name is taken."""
    text = f"ls_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name, hash=hash_key(text), prefix=text[:PREFIX_SHOWN], write_only=write_only
    )
    sources.open_source(name, Source.Kind.KEY, key.created_at)
    return key, text


def revoke_keys(keys: QuerySet[ApiKey], at: datetime) -> int:
    """End keys for good; return how many were usable."""
    usable = keys.filter(revoked_at=None)
    names = list(usable.values_list("name", flat=True))
    revoked = usable.update(revoked_at=at)
    sources.end_sources(names, at)
    return revoked


class SourcesOfOthers(Container[str]):
    """The sources that a key may not name: this program's own, and those of others who send.

    They are read when another source than the key's own is asked about: hardly ever.
    """

    def __init__(self, key: ApiKey) -> None:
        self._own = key.name

    @cached_property
    def _names(self) -> set[str]:
        others = Source.objects.filter(ended_at=None).exclude(kind=Source.Kind.IMPORT)
        return set(others.values_list("name", flat=True))

    def __contains__(self, source: object) -> bool:
        return source in OWN_SOURCES or (source != self._own and source in self._names)


def hash_key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def find_key(text: str) -> ApiKey | None:
    """Return the usable key of a text. Unknown and revoked ones cost the same query."""
    return ApiKey.objects.usable().filter(hash=hash_key(text)).first()


def record_use(key: ApiKey, at: datetime) -> None:
    """Remember when a key was last used, to the minute, so that few requests write."""
    if key.last_used_at is None or key.last_used_at < at - NOTED_EVERY:
        old = Q(last_used_at=None) | Q(last_used_at__lt=at - NOTED_EVERY)
        ApiKey.objects.filter(old, pk=key.pk).update(last_used_at=at)
