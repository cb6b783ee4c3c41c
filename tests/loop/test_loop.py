"""The whole loop as a user has it: processes, HTTP, mail, and a CRM that is held to its word."""

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from leadscoring import devservers
from sandbox.demo.sales import CRMS
from sandbox.demo.stage import CHECKOUT, arrange, part, running
from sandbox.demo.story import Loop, play
from tests.loop.strict import Strict, violations


@pytest.mark.parametrize("crm", CRMS)
def test_the_demo_plays_every_hop_and_ends(crm: str):
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--once", "--crm", crm],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every hop happened" in done.stdout


def test_two_workers_send_no_request_that_the_published_descriptions_do_not_allow(tmp_path: Path):
    with ExitStack() as stack:
        stage = arrange(tmp_path, stack.enter_context(devservers.run_servers()))
        strict = stack.enter_context(Strict(stage.crm))
        stage = replace(stage, environment={**stage.environment, "HUBSPOT_BASE_URL": strict.url})
        stack.enter_context(running(stage))
        second = (sys.executable, "-m", "celery", "-A", "leadscoring", "worker", "-n", "second@%h")
        stack.enter_context(part(stage, "second-worker", second))

        play(Loop(stage, Console(quiet=True)))

    assert Counter(strict.violations) == {}
    assert [answer for answer in strict.answers if answer[2] >= 400] == []
    assert len(strict.answers) > 20


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/crm/v3/objects/contacts/batch/upsert", b'{"inputs": [{"nope": 1}]}'),
        ("POST", "/crm/v3/objects/contacts/batch/read", b'{"inputs": []}'),
        ("GET", "/crm/v3/objects/contacts?nope=1", b""),
        ("POST", "/crm/v3/objects/contacts/upsert", b"{}"),
        ("POST", "/crm/v3/objects/tasks/batch/create", b"not JSON"),
    ],
)
def test_the_strict_proxy_speaks_of_what_is_wrong(method: str, target: str, body: bytes):
    assert violations(method, target, body)
