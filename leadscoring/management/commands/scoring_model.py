"""Scoring models as files under version control."""

from argparse import ArgumentParser
from collections import deque
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from leadscoring import publishing, scoring
from leadscoring.engine import ModelFileError
from leadscoring.management.command import JsonCommand as Console
from leadscoring.management.command import existing_file_argument
from leadscoring.models import ModelVersion


class Command(Console):
    help = "List, export, apply and publish scoring models."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="all versions, and which is in force")
        export = verbs.add_parser("export", help="print a model file")
        export.add_argument("name")
        export.add_argument(
            "number", type=int, nargs="?", metavar="VERSION", help="default: the newest"
        )
        apply = verbs.add_parser("apply", help="make a file the draft of its name")
        apply.add_argument("file", type=existing_file_argument)
        publish = verbs.add_parser(
            "publish", help="say what publishing would do; with --yes, do it"
        )
        publish.add_argument("name")
        publish.add_argument("number", type=int, metavar="VERSION")
        publish.add_argument(
            "--crossings",
            choices=["none", "all"],
            default="all",
            help="whether people whom the change alone lifts over the threshold go to sales",
        )
        publish.add_argument("--yes", action="store_true")

    def run(self, **options: Any) -> int:
        verb = getattr(self, options["verb"])
        result: int = verb(**options)
        return result

    def list(self, **options: Any) -> int:
        in_force = ModelVersion.objects.in_force(now())
        rows = [
            {
                "name": version.name,
                "version": version.version,
                "state": _version_state(version, in_force),
                "published_at": version.published_at and version.published_at.isoformat(),
            }
            for version in ModelVersion.objects.order_by("name", "version")
        ]
        self.answer(
            {"models": rows},
            "\n".join(f"{row['name']} v{row['version']}: {row['state']}" for row in rows),
        )
        return 0

    def export(self, name: str, number: int | None, **options: Any) -> int:
        versions = ModelVersion.objects.filter(name=name).order_by("version")
        found = versions.filter(version=number).first() if number else versions.last()
        if found is None:
            raise CommandError(f"There is no model {name}{f' v{number}' if number else ''}.")
        self.answer(
            {"name": found.name, "version": found.version, "source": found.source},
            found.source.rstrip(),
        )
        return 0

    def apply(self, file: Path, **options: Any) -> int:
        try:
            version, changed = publishing.apply_draft(file.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            raise CommandError(f"{file} is not UTF-8 text.") from None
        except ModelFileError as wrong:
            self.answer({"error": {"line": wrong.line, "reason": wrong.reason}}, f"{file}: {wrong}")
            return 1
        draft = version.published_at is None
        self.answer(
            {"name": version.name, "version": version.version, "changed": changed, "draft": draft},
            f"{version} is {'the draft now' if changed else 'what the file says already'}.",
        )
        return 0

    def publish(self, name: str, number: int, crossings: str, yes: bool, **options: Any) -> int:
        version = ModelVersion.objects.filter(name=name, version=number).first()
        if version is None:
            raise CommandError(f"There is no {name} v{number}.")
        if version.published_at:
            return self.published_before(version)
        at = now()
        chunks = publishing.preview_publish(version, at)
        would = deque(self.progress(chunks, total=None, what="chunks of contacts"), maxlen=1)[0]
        if yes:
            publishing.publish_version(name, number, at, quiet=crossings == "none")
            scoring.refresh_scores(at, seconds=0)
        told = would.would_cross if crossings == "all" else 0
        self.answer(
            {
                "name": name,
                "version": number,
                "published": yes,
                "people": would.people,
                "would_cross": would.would_cross,
                "told_to_sales": told,
                "mql": would.mql,
                "disqualified": would.disqualified,
                "grades": dict(sorted(would.grades.items())),
                "grades_now": dict(sorted(would.grades_now.items())),
            },
            _publish_sentences(version, would, told, yes),
        )
        return 0

    def published_before(self, version: ModelVersion) -> int:
        """Report a version in force as such; raise CommandError for an earlier one: it does not come back."""
        if version != ModelVersion.objects.in_force(now()):
            raise CommandError(
                f"{version} was in force earlier. To go back to it, export it, apply that file "
                "and publish the draft."
            )
        document = {"name": version.name, "version": version.version, "published": True}
        self.answer(document, f"{version} is in force already.")
        return 0


def _version_state(version: ModelVersion, in_force: ModelVersion) -> str:
    if version == in_force:
        return "in force"
    return "earlier" if version.published_at else "draft"


def _publish_sentences(
    version: ModelVersion, would: publishing.PublishPreview, told: int, published: bool
) -> str:
    counts = f"{would.people} people scored: {would.mql} marketing-qualified, {would.disqualified} disqualified"
    crossing = f"{would.would_cross} cross the handoff threshold, {told} of them go to sales"
    done = (
        f"{version} is in force."
        if published
        else f"Nothing was changed. Add --yes to publish {version}."
    )
    return f"{counts}; {crossing}.\n{done}"
