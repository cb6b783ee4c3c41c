"""What every command of ours has: `--json`, progress with rate and time left, exit codes.

Exits 0 when all is good, 1 when something is wrong with what was found, 2 when the command was
used wrongly, 130 when it was interrupted.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from django.utils.timezone import now
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.text import Text

from leadscoring import access_log
from leadscoring.intake import validation

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 5.0
WRONG, MISUSED, INTERRUPTED = 1, 2, 130


class JsonCommand(BaseCommand):
    """A command whose `run(**options)` returns the exit code and calls `answer` once.

    Django's checks load the web pages: `manage.py check` runs them, and each command begins sooner.
    """

    requires_system_checks = ()
    as_json = False
    answered = False
    sentence = "Used wrongly: standard error says how."

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as Django does; with --json, print a document for wrong arguments too."""
        try:
            super().run_from_argv(argv)
        except SystemExit as leaving:
            if leaving.code == MISUSED and "--json" in argv and not self.answered:
                self.refuse(self.sentence)
            raise

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Take `--json` before and after a verb."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for verb in action.choices.values():
                    _add_json_argument(verb, default=argparse.SUPPRESS)
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        _add_json_argument(parser, default=False)

    def run(self, **options: Any) -> int:
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        self.as_json = options["json"]
        try:
            with access_log.collect_people():
                code = self.run(**options)
        except CommandError as error:
            self.sentence = str(error)
            raise CommandError(*error.args, returncode=MISUSED) from error
        except OperationalError:
            self.leave("The database does not answer. What was done so far is kept.", WRONG)
        except KeyboardInterrupt:
            self.leave("Interrupted. What was done so far is kept; run it again.", INTERRUPTED)
        if code:
            sys.exit(code)

    def leave(self, sentence: str, code: int) -> NoReturn:
        self.stderr.write(sentence)
        if self.as_json:
            self.refuse(sentence)
        sys.exit(code)

    def refuse(self, sentence: str) -> None:
        """Print why there is no result, as a document for a program."""
        self.stdout.write(json.dumps({"error": {"message": sentence}}, indent=2))

    def answer(self, document: Any, text: str) -> None:
        """Print the result: one JSON document for programs, or sentences for people.

        Whom it shows stands in the access log first.
        """
        access_log.record_command(type(self).__module__.rpartition(".")[2], now())
        self.answered = True
        self.stdout.write(json.dumps(document, indent=2) if self.as_json else text)

    def progress(self, steps: Iterable[T], total: int | None, what: str) -> Iterator[T]:
        """Go through steps and print on standard error how far they are.

        A step that is a number counts as so many, any other as one. `total`: None when it is not known.
        """
        show = _progress_bar if sys.stderr.isatty() else _progress_lines
        return show(steps, total, what)


def _add_json_argument(parser: argparse.ArgumentParser, default: Any) -> None:
    parser.add_argument(
        "--json", action="store_true", default=default, help="print one JSON document"
    )


def _step_size(step: object) -> int:
    return step if isinstance(step, int) else 1


def _progress_bar(steps: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    columns = (BarColumn(), MofNCompleteColumn(), RateColumn(what), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=total)
        for step in steps:
            shown.advance(task, _step_size(step))
            yield step


class RateColumn(ProgressColumn):
    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def render(self, task: Task) -> Text:
        return Text(f"{self.what}, {task.speed or 0:,.0f}/s")


def _progress_lines(steps: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Yield a plain line now and then, for logs."""
    began = told = time.monotonic()
    done = 0
    for step in steps:
        done += _step_size(step)
        if time.monotonic() - told >= SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            sys.stderr.write(f"{_progress_text(done, total, told - began)} {what}\n")
        yield step


def _progress_text(done: int, total: int | None, seconds: float) -> str:
    """Return "3,000 of 9,000, 600/s, 10 s left:"."""
    rate = done / seconds
    left = f", {(total - done) / rate:,.0f} s left" if total and rate else ""
    return f"{done:,}{f' of {total:,}' if total else ''}, {rate:,.0f}/s{left}:"


# --- types of arguments: they refuse at the door ----------------------------------------------
def instant_argument(text: str) -> datetime:
    try:
        return validation.parse_instant(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} {wrong}") from None


def source_name_argument(text: str) -> str:
    """Return the name of something that sends activities: text that fits their source."""
    try:
        name = validation.check_not_empty(validation.clean_line(text))
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} {wrong}") from None
    if len(name) > 100:
        raise argparse.ArgumentTypeError("the name is longer than 100 characters")
    return name


def existing_file_argument(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not a file")
    return path
