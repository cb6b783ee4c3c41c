"""Move to the CRM account of the present credentials."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.utils.timezone import now

from crm_sync.account_move import Move, MoveRefused, move_account, plan_move
from crm_sync.connect import connect
from crm_sync.port import CrmError
from leadscoring.management.command import WRONG
from leadscoring.management.command import JsonCommand as Console

NOTHING = "The credentials belong to the account whose ids are kept here, or none is kept yet."


class Command(Console):
    help = "Move to another CRM account, of the same CRM or of another: says what it would do; --yes does it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="move")

    def run(self, **options: Any) -> int:
        crm, at = connect(), now()
        try:
            plan = plan_move(crm, at)
            if plan and options["yes"]:
                move_account(crm, plan, at)
        except (CrmError, MoveRefused) as error:
            self.answer({"error": str(error)}, str(error))
            return WRONG
        if plan is None:
            self.answer({"moved": False, "plan": None}, NOTHING)
            return 0
        document = {name: value for name, value in asdict(plan).items() if name != "reps"}
        lines = [*move_lines(plan), "", "Moved." if options["yes"] else "Add --yes to move."]
        self.answer({"moved": options["yes"], "plan": document}, "\n".join(lines))
        return 0


def move_lines(plan: Move) -> list[str]:
    head = f"From {plan.former} to {plan.crm} account {plan.there.id}:"
    return [head, *(f"- {line}" for line in plan.consequences())]
