"""Sequences as files under version control, and people into them by hand."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Count
from django.utils.timezone import now

from leadscoring.access_log import note_people
from leadscoring.common.email_address import fold_email
from leadscoring.engine import ModelFileError
from leadscoring.management.command import JsonCommand as Console
from leadscoring.management.command import existing_file_argument
from leadscoring.models import Contact
from sequences import apply_file, early_fits, sequence_file
from sequences.enrolling import enroll_contacts
from sequences.models import Enrollment, Sequence, Step

BY = "the command line"
AS_SCORED = -1


class Command(Console):
    help = "List, export and apply sequences, and let people into them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="all sequences, and how many people are in them")
        export = verbs.add_parser("export", help="print a sequence as a file")
        export.add_argument("name")
        apply = verbs.add_parser("apply", help="create or replace the sequence of a file")
        apply.add_argument("file", type=existing_file_argument)
        apply.add_argument(
            "--who-fits",
            type=who_fits_argument,
            default=AS_SCORED,
            metavar="from-now-on|all|N",
            help="switch it on, and let in of those who fit its rule now: nobody, all, or N a day; "
            "without it each enters when they are scored next",
        )
        into = verbs.add_parser("enroll", help="let people into a sequence")
        into.add_argument("name")
        into.add_argument("emails", nargs="+", metavar="EMAIL")

    def run(self, **options: Any) -> int:
        verb = getattr(self, options["verb"])
        result: int = verb(**options)
        return result

    def list(self, **options: Any) -> int:
        steps = dict(Step.objects.order_by().values_list("sequence").annotate(Count("pk")))
        counted = (
            Enrollment.objects.order_by().values("sequence", "state").annotate(people=Count("pk"))
        )
        people = {(row["sequence"], row["state"]): row["people"] for row in counted}
        rows = [
            {
                "name": one.name,
                "active": one.active,
                "archived": one.archived_at is not None,
                "enter_when": one.enter_when,
                "steps": steps.get(one.pk, 0),
                "people": {
                    state: people.get((one.pk, state), 0) for state in Enrollment.State.values
                },
            }
            for one in Sequence.objects.order_by("name")
        ]
        self.answer(
            {"sequences": rows}, "\n".join(map(_sequence_line, rows)) or "There are no sequences."
        )
        return 0

    def export(self, name: str, **options: Any) -> int:
        source = sequence_file.dump_sequence(apply_file.sequence_text(_existing_sequence(name)))
        self.answer({"name": name, "source": source}, source.rstrip())
        return 0

    def apply(self, file: Path, who_fits: int | None, **options: Any) -> int:
        try:
            applied = apply_file.apply_sequence(
                sequence_file.parse_sequence(file.read_text(encoding="utf-8-sig")), now()
            )
        except UnicodeDecodeError:
            raise CommandError(f"{file} is not UTF-8 text.") from None
        except ModelFileError as wrong:
            self.answer({"error": {"line": wrong.line, "reason": wrong.reason}}, f"{file}: {wrong}")
            return 1
        if who_fits != AS_SCORED:
            if applied.sequence.archived_at:
                raise CommandError(
                    f"{applied.sequence.name} is archived: bring it back before it is switched on."
                )
            early_fits.switch_on(applied.sequence, who_fits, now())
        self.answer(
            {
                "name": applied.sequence.name,
                "created": applied.created,
                "changed": applied.changed,
                "finished": applied.finished,
            },
            _apply_sentence(applied),
        )
        return 0

    def enroll(self, name: str, emails: Collection[str], **options: Any) -> int:
        sequence = _existing_sequence(name)
        wanted = set(map(fold_email, emails))
        people = list(Contact.objects.filter(email__in=wanted))
        entry = enroll_contacts(sequence, people, now(), BY)
        note_people(person.pk for person in people)
        refused = [(refusal.contact.email, refusal.reason) for refusal in entry.refused]
        unknown = wanted - {person.email for person in people}
        refused += [(email, "There is no contact with this address") for email in sorted(unknown)]
        answer = {
            "entered": [row.contact.email for row in entry.entered],
            "refused": [{"email": email, "because": reason} for email, reason in refused],
        }
        lines = [f"{len(entry.entered)} entered {sequence.name}."]
        self.answer(answer, "\n".join(lines + [f"{email}: {reason}." for email, reason in refused]))
        return 1 if refused else 0


def who_fits_argument(text: str) -> int | None:
    """Return the number a day that `early_fits.switch_on` takes."""
    ways = {"from-now-on": early_fits.FROM_NOW_ON, "all": early_fits.ALL}
    if text in ways:
        return ways[text]
    if not (text.isdecimal() and text.isascii() and 0 < int(text) <= 1_000_000):
        raise ArgumentTypeError("must be from-now-on, all, or how many people a day")
    return int(text)


def _existing_sequence(name: str) -> Sequence:
    sequence = Sequence.objects.filter(name=name).first()
    if sequence is None:
        raise CommandError(f"There is no sequence {name}.")
    return sequence


def _sequence_line(row: dict[str, Any]) -> str:
    people = ", ".join(f"{number} {state}" for state, number in row["people"].items())
    off = "" if row["active"] else " (archived)" if row["archived"] else " (switched off)"
    return f"{row['name']}{off}: {row['steps']} steps; {people}"


def _apply_sentence(applied: apply_file.ApplyResult) -> str:
    if not applied.changed:
        return f"{applied.sequence.name} is what the file says already."
    done = "created" if applied.created else "replaced; people under way go on"
    finished = (
        f", {applied.finished} of them had come further and finished" if applied.finished else ""
    )
    archived = " It is archived: nobody enters it." if applied.sequence.archived_at else ""
    return f"{applied.sequence.name} is {done}{finished}.{archived}"
