import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sequences.models import EarlyFit, Enrollment, Sequence
from tests.sequences.makers import a_contact, a_sequence
from tests.sequences.test_early_fits import worth
from tests.sequences.test_sequencefile import CONTRACT

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "nurture.yaml"
    path.write_text(CONTRACT)
    return path


@pytest.fixture
def sequence(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command as a program would; answers the exit code and the document."""

    def run(*arguments: str) -> tuple[int, Any]:
        code = 0
        try:
            call_command("sequence", *arguments, "--json")
        except SystemExit as left:
            code = int(left.code or 0)
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_file_goes_in_and_comes_out(sequence: Any, file: Path) -> None:
    applied = {"name": "nurture", "created": True, "changed": True, "finished": 0}

    assert sequence("apply", str(file)) == (0, applied)

    code, exported = sequence("export", "nurture")
    file.write_text(exported["source"])
    assert sequence("apply", str(file)) == (0, applied | {"created": False, "changed": False})
    assert code == 0


def test_a_wrong_file_is_refused_and_nothing_is_stored(sequence: Any, file: Path) -> None:
    file.write_text(CONTRACT.replace("3 days", "soon"))

    code, answer = sequence("apply", str(file))

    assert (code, answer["error"]["line"]) == (1, 5)
    assert not Sequence.objects.exists()


def test_people_are_let_in_by_hand_and_the_refused_are_named(sequence: Any) -> None:
    a_contact("ada@example.com")
    a_contact("kim@example.com")
    a_sequence(name="nurture")
    sequence("enroll", "nurture", "kim@example.com")

    code, answer = sequence(
        "enroll", "nurture", "Ada@Example.com", "kim@example.com", "who@example.com"
    )

    assert code == 1
    assert answer["entered"] == ["ada@example.com"]
    assert answer["refused"] == [
        {"email": "kim@example.com", "because": "They are in this sequence already"},
        {"email": "who@example.com", "because": "There is no contact with this address"},
    ]
    assert Enrollment.objects.count() == 2


def test_the_list_counts_steps_and_people(sequence: Any) -> None:
    a_contact("ada@example.com")
    a_sequence(name="nurture")
    sequence("enroll", "nurture", "ada@example.com")

    code, answer = sequence("list")

    assert code == 0
    assert answer["sequences"] == [
        {
            "name": "nurture", "active": True, "archived": False, "enter_when": {}, "steps": 2,
            "people": {"active": 1, "paused": 0, "stopped": 0, "finished": 0},
        }
    ]  # fmt: skip


def test_people_read_sentences(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    call_command("sequence", "apply", str(file))
    call_command("sequence", "list")

    assert capsys.readouterr().out.splitlines() == [
        "nurture is created.",
        "nurture: 2 steps; 0 active, 0 paused, 0 stopped, 0 finished",
    ]


@pytest.mark.parametrize("arguments", [["export", "none"], ["enroll", "none", "a@b.example"]])
def test_a_wrong_use_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("sequence", *arguments)

    assert refusal.value.returncode == 2


@pytest.mark.parametrize(
    ("who_fits", "early"),
    [((), []), (("--who-fits", "from-now-on"), [0]), (("--who-fits", "all"), [None]), (("--who-fits", "25"), [25])],
)  # fmt: skip
def test_who_fits_the_rule_of_a_file_already_is_said_at_the_command(
    sequence: Any, file: Path, who_fits: tuple[str, ...], early: list[int | None]
) -> None:
    worth(50)

    code, _ = sequence("apply", str(file), *who_fits)

    row = Sequence.objects.get()
    assert (code, row.active) == (0, True)
    assert EarlyFit.objects.count() == len(early)
    assert early in ([], [row.early_fits_a_day])


@pytest.mark.parametrize("said", ["none", "0", "-1", "1.5", "²", ""])
def test_who_fits_must_be_one_of_the_three(file: Path, said: str) -> None:
    with pytest.raises(CommandError, match="from-now-on, all, or how many"):
        call_command("sequence", "apply", str(file), "--who-fits", said)
