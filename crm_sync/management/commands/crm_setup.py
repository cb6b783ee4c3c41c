"""Create in the CRM what our mapping writes to."""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.timezone import now

from crm_sync.account import read_account, refresh_task_guard
from crm_sync.connect import connect
from crm_sync.mapping.property_choices import clear_cached_properties
from crm_sync.mapping.record_values import store_given_names, wanted_properties
from crm_sync.models import FieldMapping
from crm_sync.port import CrmError, SetUpStep
from crm_sync.push.plan import PersonPlan, PushPlan, plan_push
from leadscoring.common.text import bounded_line
from leadscoring.management.command import WRONG
from leadscoring.management.command import JsonCommand as Console


class Command(Console):
    help = "Create what is missing in the CRM: the property group and its properties."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--plan",
            action="store_true",
            help="only say what would be done, and what would be sent of ten real people",
        )

    def run(self, **options: Any) -> int:
        crm = connect()
        wanted = wanted_properties(FieldMapping.objects.sent().order_by("pk"), crm.made_properties)
        try:
            account = read_account(crm, now())
            steps = crm.set_up(wanted, plan=options["plan"])
            if not options["plan"]:
                store_given_names(steps)
                refresh_task_guard(crm)
                clear_cached_properties(crm)
        except CrmError as error:
            self.answer({"error": str(error), "steps": []}, str(error))
            return WRONG
        if options["plan"]:
            self.tell_plan(account.account_id, steps, plan_push(crm, now()))
        else:
            self.tell(account.account_id, steps)
        return WRONG if any(step.problem for step in steps) else 0

    def tell(self, account_id: str, steps: Sequence[SetUpStep]) -> None:
        document = {"account": account_id, "plan": False, "steps": step_dicts(steps)}
        self.answer(document, step_lines(steps, f"CRM account {account_id}", "done"))

    def tell_plan(self, account_id: str, steps: Sequence[SetUpStep], push: PushPlan) -> None:
        document = {
            "account": account_id,
            "plan": True,
            "steps": step_dicts(steps),
            "push": {
                "people": push.linked,
                "calls": push.cost,
                "unit": push.unit,
                "error": push.error,
                "examples": [person_as_dict(person) for person in push.people],
            },
        }
        text = step_lines(steps, f"CRM account {account_id}", "would do")
        self.answer(document, "\n".join([text, "", *plan_lines(push)]))


def step_dicts(steps: Sequence[SetUpStep]) -> list[dict[str, str]]:
    return [{"what": step.what, "problem": step.problem} for step in steps]


def step_lines(steps: Sequence[SetUpStep], heading: str, verb: str) -> str:
    if not steps:
        return f"{heading} has all that is needed."
    each = [f"{step.what}{f': {step.problem}' if step.problem else ''}" for step in steps]
    return "\n".join([f"{heading}, {verb}:", *each])


def person_as_dict(person: PersonPlan) -> dict[str, Any]:
    return {
        "contact": person.contact.pk,
        "record_id": person.record_id,
        "problem": person.problem,
        "properties": [
            {
                "property": change.property,
                "before": change.before,
                "after": change.after,
                "left_alone": change.left_alone,
            }
            for change in person.changes
        ],
    }


def plan_lines(push: PushPlan) -> Iterator[str]:
    """Yield what would be sent, a line for each property; texts of several lines as one."""
    if push.error:
        yield f"What would be sent is not known: {push.error}"
        return
    who = "the one person" if push.linked == 1 else f"all {push.linked:,} people"
    yield f"A push of {who} that the CRM knows takes at most {push.cost:,} {push.unit}."
    for person in push.people:
        yield f"{person.contact} (record {person.record_id}){f': {person.problem}' if person.problem else ''}"
        for change in person.changes:
            before, after = terminal_line(change.before), terminal_line(change.after)
            what = f"left alone: {change.left_alone}" if change.left_alone else f"becomes {after}"
            yield f"  {change.property}: {before}, {what}"


def terminal_line(text: str) -> str:
    """Return a text cut short, without control characters that a terminal obeys."""
    return f"“{bounded_line(text, 80)}”"
