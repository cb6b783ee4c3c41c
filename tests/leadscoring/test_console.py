"""Every command: one JSON document, progress beside it, and an exit code that can be relied on."""

import argparse
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from leadscoring.management import command


class Command(command.JsonCommand):
    """Does what its argument says."""

    def add_arguments(self, parser):
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb in ("good", "wrong", "misused", "interrupted", "away"):
            verbs.add_parser(verb)

    def run(self, **options):
        if options["verb"] == "misused":
            raise CommandError("No such thing.")
        if options["verb"] == "interrupted":
            raise KeyboardInterrupt
        if options["verb"] == "away":
            raise OperationalError
        list(self.progress([2, 3], total=5, what="things"))
        self.answer({"done": 5}, "5 done.")
        return command.WRONG if options["verb"] == "wrong" else 0


def run(*arguments):
    out, err = StringIO(), StringIO()
    code: Any = 0
    try:
        call_command(Command(), *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        code = ended.code
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("arguments", [("--json", "good"), ("good", "--json")])
def test_json_is_understood_before_and_after_a_verb(arguments):
    code, out, _ = run(*arguments)

    assert (code, json.loads(out)) == (0, {"done": 5})


def test_without_json_there_are_sentences():
    assert run("good")[1] == "5 done.\n"


def test_what_was_found_wrong_exits_1_and_is_still_answered():
    assert run("wrong") == (1, "5 done.\n", "")


def test_a_wrong_use_exits_2():
    with pytest.raises(CommandError) as caught:
        run("misused")

    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    ("verb", "sentence"), [("misused", "No such thing."), ("nonsense", "Used wrongly")]
)
def test_a_program_gets_a_document_also_when_it_used_a_command_wrongly(verb, sentence, capsys):
    with pytest.raises(SystemExit) as caught:
        Command().run_from_argv(["manage.py", "command", verb, "--json"])

    said = capsys.readouterr()
    assert caught.value.code == 2
    assert json.loads(said.out)["error"]["message"].startswith(sentence)
    assert said.err


def test_a_person_gets_no_document(capsys):
    with pytest.raises(SystemExit):
        Command().run_from_argv(["manage.py", "command", "misused"])

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("verb", "code"), [("interrupted", 130), ("away", 1)])
def test_an_interruption_and_a_database_that_is_away_end_with_a_sentence(verb, code):
    ended, out, err = run(verb)

    assert (ended, out) == (code, "")
    _, document, _ = run(verb, "--json")
    assert json.loads(document)["error"]["message"] in err
    assert "What was done so far is kept" in err


def test_progress_in_a_log_is_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(command, "SECONDS_BETWEEN_LINES", 0.0)

    list(Command().progress([1000, 1000], total=4000, what="rows"))

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("1,000 of 4,000, ")
    assert lines[0].endswith(" s left: rows")


@pytest.mark.parametrize("text", ["2026-05-04", "soon", ""])
def test_an_instant_that_cannot_be_right_is_refused_at_the_door(text):
    with pytest.raises(argparse.ArgumentTypeError):
        command.instant_argument(text)


def test_a_file_that_is_not_there_is_refused_at_the_door(tmp_path):
    with pytest.raises(argparse.ArgumentTypeError):
        command.existing_file_argument(str(tmp_path / "none.csv"))
