"""Create in the CRM what our mapping writes to."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.utils.timezone import now

from crm_sync.account import ask_account, learn_guard
from crm_sync.connect import connect
from crm_sync.mapping import wanted_properties
from crm_sync.models import FieldMapping
from crm_sync.port import CrmError, SetUpStep
from leadscoring.console import WRONG
from leadscoring.console import Command as Console


class Command(Console):
    help = "Create what is missing in the CRM: the property group and its properties."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--plan", action="store_true", help="only say what would be done")

    def run(self, **options: Any) -> int:
        crm = connect()
        wanted = wanted_properties(FieldMapping.objects.sent().order_by("pk"))
        try:
            account = ask_account(crm, now())
            steps = crm.set_up(wanted, plan=options["plan"])
            if not options["plan"]:
                learn_guard(crm)
        except CrmError as error:
            self.answer({"error": str(error), "steps": []}, str(error))
            return WRONG
        self.tell(account.portal_id, steps, plan=options["plan"])
        return WRONG if any(step.problem for step in steps) else 0

    def tell(self, portal_id: str, steps: Sequence[SetUpStep], *, plan: bool) -> None:
        lines = [f"{step.what}{f': {step.problem}' if step.problem else ''}" for step in steps]
        heading = f"CRM account {portal_id}"
        text = "\n".join([f"{heading}, would do:" if plan else f"{heading}, done:", *lines])
        self.answer(
            {
                "account": portal_id,
                "plan": plan,
                "steps": [{"what": step.what, "problem": step.problem} for step in steps],
            },
            text if steps else f"{heading} has all that is needed.",
        )
