"""An uploaded file, kept in pieces in the database: web and workers need share no folder."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from leadscoring.common.text import bounded_line
from leadscoring.models import (
    Import,
    ImportChange,
    ImportPart,
    ImportWish,
    RejectedRow,
)

MOST_BYTES = 50 * 1024 * 1024
PIECE = 1 << 20
KEPT = timedelta(days=30)
PRUNED_AT_ONCE = 20


class RefusedUpload(Exception):
    """The file is not kept; the sentence says why."""


def keep_upload(
    kind: str, name: str, size: int, content: Iterable[bytes], user: User, at: datetime
) -> Import:
    """Store a file. Raise RefusedUpload."""
    if not size:
        raise RefusedUpload("The file is empty.")
    if size > MOST_BYTES:
        raise RefusedUpload(f"The file has more than {MOST_BYTES >> 20} MB: split it.")
    with transaction.atomic():
        row = Import.objects.create(
            kind=kind, name=bounded_line(name, 200) or "file", size=size, made_by=user,
            by=user.get_username()[:200], created_at=at, turn_at=at,
        )  # fmt: skip
        for place, piece in enumerate(_pieces(content)):
            ImportPart.objects.create(imported=row, place=place, content=piece)
    return row


def _pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for block in content:
        waiting += block
        while len(waiting) >= PIECE:
            yield bytes(waiting[:PIECE])
            del waiting[:PIECE]
    if waiting:
        yield bytes(waiting)


@contextmanager
def file_of(row: Import) -> Iterator[Path]:
    """Yield a copy of a file that goes again; only this user can read it."""
    with tempfile.NamedTemporaryFile(prefix="import-") as file:
        for (content,) in row.parts.order_by("place").values_list("content").iterator(chunk_size=4):
            file.write(content)
        file.flush()
        yield Path(file.name)


def prune_imports(at: datetime) -> int:
    """Delete files older than 30 days and what is known of their rows; return how many it was.

    That they were imported, by whom and with which numbers stays.
    """
    old = Import.objects.filter(created_at__lt=at - KEPT, pruned_at=None)
    pks = list(
        old.exclude(state__in=Import.UNDER_WAY).values_list("pk", flat=True)[:PRUNED_AT_ONCE]
    )
    with transaction.atomic():
        for model in (ImportPart, RejectedRow, ImportChange, ImportWish):
            model._default_manager.filter(imported__in=pks).delete()
        Import.objects.filter(pk__in=pks).update(pruned_at=at, forecast={})
    return len(pks)
