"""What the stages of deals do to the sequences of their contacts."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from crm_sync.account import check_account
from crm_sync.connect import connect
from crm_sync.deals.mirror import mirror_stages
from crm_sync.deals.stage_policy import set_effect
from crm_sync.models import Stage
from crm_sync.port import CrmError
from leadscoring.management.command import WRONG
from leadscoring.management.command import JsonCommand as Console
from leadscoring.models import Effect


class Command(Console):
    help = "List or set what a deal's stage does to the sequences of its contacts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="all stages and what they do")
        setting = verbs.add_parser("set", help="say what a stage does")
        setting.add_argument("pipeline", help="id or label")
        setting.add_argument("stage", help="id or label")
        setting.add_argument("effect", choices=Effect.values)

    def run(self, **options: Any) -> int:
        try:
            return self.set(**options) if options["verb"] == "set" else self.list()
        except CrmError as error:
            self.answer({"error": str(error)}, str(error))
            return WRONG

    def list(self) -> int:
        if not Stage.objects.exists():
            read_pipelines()
        stages = list(Stage.objects.order_by("pipeline", "position"))
        self.answer(
            {"stages": [stage_row_dict(stage) for stage in stages]},
            "\n".join(map(stage_line, stages)),
        )
        return 0

    def set(self, pipeline: str, stage: str, effect: str, **options: Any) -> int:
        found = find_stages(pipeline, stage)
        if not found:
            read_pipelines()
            found = find_stages(pipeline, stage)
        if len(found) != 1:
            many = "Several stages are" if found else "No stage is"
            raise CommandError(f"{many} called “{stage}” in a pipeline “{pipeline}”: see list.")
        touched = set_effect(found[0], Effect(effect), "stage_effects", now())
        self.answer(
            stage_row_dict(found[0]) | {"contacts": touched},
            f"{stage_line(found[0])}; {touched} contacts changed.",
        )
        return 0


def read_pipelines() -> None:
    crm = connect()
    check_account(crm, now())
    mirror_stages(crm.stages())


def find_stages(pipeline: str, stage: str) -> list[Stage]:
    """Return the stages with these ids or labels, whatever the letter case; an id precedes labels."""
    pipeline, stage = pipeline.casefold(), stage.casefold()
    inside = [
        each
        for each in Stage.objects.all()
        if pipeline in (each.pipeline_id.casefold(), each.pipeline.casefold())
    ]
    by_id = [each for each in inside if each.stage_id.casefold() == stage]
    return by_id or [each for each in inside if each.label.casefold() == stage]


def stage_row_dict(stage: Stage) -> dict[str, str | bool]:
    return {
        "pipeline_id": stage.pipeline_id,
        "pipeline": stage.pipeline,
        "stage_id": stage.stage_id,
        "stage": stage.label,
        "effect": stage.effect or Effect.PAUSE,  # until it is set
        "set_by": stage.set_by,
        "archived": stage.archived,
    }


def stage_line(stage: Stage) -> str:
    does = stage.effect or "pause (nobody has set it yet)"
    archived = ", archived" if stage.archived else ""
    return f"{stage.pipeline} ({stage.pipeline_id}) / {stage.label} ({stage.stage_id}{archived}): {does}"
