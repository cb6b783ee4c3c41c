"""Recompute all scores, or check the stored ones against the engine."""

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import now

from leadscoring import scoring
from leadscoring.access_log import note_people
from leadscoring.management.command import JsonCommand as Console
from leadscoring.management.command import instant_argument
from leadscoring.models import Contact, Score

# Further ahead than this was computed for on purpose; less is an activity that overtook.
AHEAD = timedelta(hours=1)


class Command(Console):
    help = "Recompute all scores; --check changes nothing and exits 1 if a stored score differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--at",
            type=instant_argument,
            metavar="INSTANT",
            help="the instant to compute for (default: now; with --check: each score's own)",
        )
        parser.add_argument("--check", action="store_true", help="compare only")

    def run(self, **options: Any) -> int:
        if options["check"]:
            return self.check_scores(options["at"])
        if options["at"] is None:
            _reset_future_instants(now())
        return self.rescore(options["at"] or now())

    def rescore(self, at: datetime) -> int:
        later = Score.objects.filter(at__gt=at).count()
        done = 0
        for count in self.progress(
            scoring.rescore_all(at), total=Contact.objects.count(), what="contacts"
        ):
            done += count
        self.answer(
            {"rescored": done, "at": at.isoformat(), "left_because_later": later},
            f"{done} contacts rescored for {at:%d %B %Y %H:%M} UTC."
            + (f" {later} scores are of a later instant and keep it." if later else ""),
        )
        return 0

    def check_scores(self, at: datetime | None) -> int:
        found: list[scoring.ScoreDifference] = []
        differ = 0
        for some in scoring.check_scores(at):
            differ += len({difference.contact for difference in some})
            found = [*found, *some][:100]
        note_people(difference.contact for difference in found)
        lines = [
            f"contact {d.contact}: {d.field} is stored as {d.stored}, computed as {d.computed}"
            for d in found
        ]
        self.answer(
            {
                "checked": Score.objects.count(),
                "differ": differ,
                "differences": [asdict(difference) for difference in found],
            },
            "\n".join([*lines, f"{Score.objects.count()} scores checked, {differ} differ."]),
        )
        return 1 if differ else 0


def _reset_future_instants(at: datetime) -> None:
    """Let go of instants that have not come, which `rescore --at` gave to scores.

    A score never goes back by itself, so these would stay ahead of everything that happens.
    """
    Score.objects.filter(at__gt=at + AHEAD).update(at=at)
