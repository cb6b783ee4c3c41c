"""What is in the images: all that runs there, and nothing else."""

import re
import shlex
import subprocess
import sys
from pathlib import PurePosixPath

import pytest
import yaml

from tests.production.image import ROOT, copy_image, image, taken_in

# Folders of development: they are nowhere in a path of the image.
NOT_FOR_PRODUCTION = {"tests", "sandbox", "demo", "embedded", "devservers", "docs", ".venv", ".git"}
SECRETS = re.compile(
    r"\.env|\.services|\.pem$|\.key$|\.p12$|\.sqlite3?$|\.dump$|\.sql$|id_rsa|\.log$"
)
KINDS = {".py", ".html", ".txt", ".yaml", ".css", ".js", ".svg", ".woff2", ".png"}


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ("*\n!a", {"a/x.py", "a/b/x.py", "a/b/x.pyc"}),
        ("*\n!a\na/b", {"a/x.py"}),
        ("*\n!a\n!a/b\n**/*.pyc", {"a/x.py", "a/b/x.py"}),
        ("# words\n\n/a/", {"c.py", ".env", "d/.env"}),
        ("**/.*\na", {"c.py"}),
        ("a/**\n?.py", {".env", "d/.env"}),
        ("*.py\n.env", {"a/x.py", "a/b/x.py", "a/b/x.pyc", "d/.env"}),
        ("a\n!a/b/x.py\n.env\nd\nc.*", {"a/b/x.py"}),
    ],
)
def test_patterns_mean_what_they_mean_to_docker(lines, left):
    paths = {"a/x.py", "a/b/x.py", "a/b/x.pyc", "c.py", ".env", "d/.env"}

    assert taken_in(paths, lines) == left


def test_the_image_holds_what_runs():
    apps = {path.split("/")[0] for path in image()}

    assert apps == {
        "manage.py",
        "requirements.txt",
        "leadscoring",
        "sequences",
        "crm_sync",
        "templates",
    }
    assert {
        "leadscoring/wsgi.py",
        "leadscoring/celery.py",
        "leadscoring/starting_model.yaml",
    } <= image()


def test_the_image_holds_no_tests_no_sandbox_no_demo_and_no_servers_of_development():
    found = {path for path in image() if NOT_FOR_PRODUCTION & set(PurePosixPath(path).parts)}

    assert found == set()


def test_the_image_holds_no_data_and_no_secrets():
    assert {path for path in image() if SECRETS.search(path)} == set()
    assert {PurePosixPath(path).suffix for path in image()} <= KINDS


def test_what_lies_about_on_a_machine_stays_out():
    litter = {
        ".env", ".env.local", ".services/state.json", "leadscoring/.env", "crm_sync/hubspot/.token",
        "sequences/__pycache__/models.cpython-312.pyc", "templates/.DS_Store", "dump.sql", "leads.csv",
        "build/production/x", ".git/config", "leadscoring/.cache/leads.csv", "tests/conftest.py",
    }  # fmt: skip

    assert taken_in(litter, (ROOT / ".dockerignore").read_text()) == set()


def test_the_image_of_the_stand_in_holds_nothing_of_the_product():
    outside = {path for path in image("sandbox") if "sandbox" not in PurePosixPath(path).parts}

    assert outside <= {"requirements-dev.txt", "crm_sync/__init__.py"}


def test_the_stand_in_needs_nothing_but_what_its_image_holds(tmp_path):
    command = shlex.split(
        yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["crm"]["command"]
    )
    module = command[command.index("-m") + 1]

    helped = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=copy_image(tmp_path / "app", "sandbox"), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert helped.returncode == 0, helped.stderr
    assert "--token" in helped.stdout
