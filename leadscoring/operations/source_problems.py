"""Sources that fell silent, for the home page."""

from collections.abc import Iterator
from datetime import datetime

from leadscoring.common.format import change_url, format_moment
from leadscoring.intake.silence import silent_sources
from leadscoring.models import Source
from leadscoring.operations.health import Problem

CHECK = (
    "See that it still runs and that its key, form or address is right. What has ended for good: "
    "revoke its key or delete it."
)


def silence_problems(at: datetime) -> Iterator[Problem]:
    silent = silent_sources(at)
    known = Source.objects.in_bulk([one.source_id for one in silent]) if silent else {}
    for one in silent:
        source = known[one.source_id]
        before = "the week" if one.weeks == 1 else f"each of the {one.weeks} weeks"
        yield Problem(
            severity="warning",
            what=f"{source} has sent nothing since {format_moment(one.last_at)}.",
            fix=f"In {before} before, it sent in {one.hours} hours or more of the same time. {CHECK}",
            url=change_url(source),
        )
