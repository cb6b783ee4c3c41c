"""What the documentation points at, and what points at it, is there."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.test_packaging import compose, procfile, settings_explained

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SOURCES = sorted(
    path
    for folder in ROOT.iterdir()
    if folder.is_dir() and not folder.name.startswith(".") and folder.name != "build"
    for kind in ("*.py", "*.html", "*.yml")
    for path in folder.rglob(kind)
)
FACTS = sorted((ROOT / "docs").glob("*-facts.md"))
CITED = re.compile(r"(?<![\w/])docs/[\w/-]+\.\w+(?:#[\w-]+)?")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.M)


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text())


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings by GitHub's rule; the second of one name ends in -1."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in HEADING.findall(prose(page)):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def is_there(target: str, start: Path) -> bool:
    """Whether a path, with an anchor or without, leads somewhere from a folder or within a page."""
    name, _, anchor = target.partition("#")
    path = (start.parent if start.is_file() else start) / name if name else start
    return path.exists() and (not anchor or anchor in anchors(path))


def test_every_page_and_anchor_that_code_cites_is_there():
    cited = [(path, one) for path in SOURCES for one in CITED.findall(path.read_text())]

    assert {one for _, one in cited if one.startswith("docs/hubspot-facts.md#")}
    assert [f"{path}: {one}" for path, one in cited if not is_there(one, ROOT)] == []


def test_every_link_between_pages_leads_somewhere():
    links = [(page, link) for page in PAGES for link in LINK.findall(prose(page))]
    local = [(page, link) for page, link in links if not re.match(r"[a-z]+:", link)]

    assert local
    assert [f"{page.name}: {link}" for page, link in local if not is_there(link, page)] == []


@pytest.mark.parametrize("page", FACTS, ids=lambda page: page.stem)
def test_every_fact_about_a_crm_says_how_sure_it_is_and_who_says_so_and_who_relies_on_it(page):
    sections = prose(page).split("\n### ")[1:]
    last_lines = [
        re.search(r"^- (?:sure|to be tried).*(?:\n  .*)*", each, re.M) for each in sections
    ]

    assert sections
    assert [
        each.partition("\n")[0]
        for each, found in zip(sections, last_lines, strict=True)
        if not found or len(re.split(r"\s·\s", found[0])) != 3
    ] == []


# --- what is said of security --------------------------------------------------------------------
SECURITY_ROW = re.compile(r"^\| ([\d., –]+) \|.*\| (.*?) \| (.*?) \|$", re.M)
NAMED_FILE = re.compile(r"`(\.?[\w-]+(?:/[\w.-]+)+|[\w-]+\.\w+|\w+file)`")


def test_every_row_about_security_has_a_state_and_names_files_that_are_there():
    rows = SECURITY_ROW.findall((ROOT / "docs" / "security.md").read_text())

    assert {state for _, state, _ in rows} == {"met", "not met", "does not apply"}
    assert [row for row, state, how in rows if state == "met" and not NAMED_FILE.search(how)] == []
    assert [
        f"{row}: {file}"
        for row, _, how in rows
        for file in NAMED_FILE.findall(how)
        if not (ROOT / file).is_file()
    ] == []


# --- what an operator follows to the letter -----------------------------------------------------
EXAMPLES = ROOT / "docs" / "examples"
UNITS = {
    path.stem.removeprefix("leadscoring-"): path.read_text()
    for path in sorted((EXAMPLES / "systemd").glob("*.service"))
}
HOME, PROGRAMS = "/opt/leadscoring/app/", "/opt/leadscoring/venv/bin/"
FOLLOWED = [ROOT / "docs" / f"{name}.md" for name in ("operating", "hubspot", "pipedrive")]
MADE = {".env"}  # a link, by one of the steps
CAPITALS = {"HTTP_X_FORWARDED_PROTO", "CELERY_BROKER_URL", "IN_PROGRESS"}
VARIES = "…"


def directive(unit: str, name: str) -> str:
    found = re.search(rf"^{name}=(.*)$", UNITS[unit], re.M)
    assert found, f"{unit}: {name}"
    return found[1]


@pytest.mark.parametrize("unit", ["web", "worker-live", "worker-slow", "beat"])
def test_a_unit_of_systemd_runs_what_the_procfile_runs(unit):
    command = directive(unit, "ExecStart")

    assert command.startswith(PROGRAMS)
    # % is systemd's own sign: %h alone would become the user's home.
    assert command.removeprefix(PROGRAMS).replace("%%", "%") == procfile()[unit]
    assert "%" not in command.replace("%%", "")


def test_flower_runs_as_in_compose_and_for_this_machine_alone():
    command = directive("flower", "ExecStart").removeprefix(PROGRAMS)

    assert command == f"{compose()['flower']['command']} --address=127.0.0.1"


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_started_again_and_has_no_rights(unit):
    assert directive(unit, "Restart") == "always"
    assert directive(unit, "StartLimitIntervalSec") == "0"
    assert directive(unit, "User") == "leadscoring"
    assert directive(unit, "EnvironmentFile").startswith("/etc/leadscoring/")
    assert directive(unit, "NoNewPrivileges") == "yes"
    assert directive(unit, "ProtectSystem") == "strict"


@pytest.mark.parametrize("unit", ["worker-live", "worker-slow"])
def test_a_worker_may_end_its_tasks_before_it_is_killed(unit, settings):
    assert int(directive(unit, "TimeoutStopSec")) > settings.CELERY_TASK_TIME_LIMIT
    # Else the signal goes to the processes that have the tasks in hand, and ends them.
    assert directive(unit, "KillMode") == "mixed"


def test_the_proxy_says_itself_by_what_the_request_came():
    proxy = (EXAMPLES / "nginx.conf").read_text()

    assert re.findall(r"proxy_pass (\S+);", proxy) == ["http://127.0.0.1:8000"] * 3
    assert re.findall(r"X-Forwarded-Proto (\S+);", proxy) == ["$scheme"]
    assert re.search(r"error_page 502 =503", proxy)


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.name)
def test_every_command_that_is_to_be_typed_is_there(page):
    typed = set(re.findall(r"\bmanage(?:\.py)? ([a-z][a-z_]+)", page.read_text()))
    served = {
        name for path in re.findall(r"systemctl [a-z]+ ([a-z -]*leadscoring[a-z -]*)", page.read_text())
        for name in path.split() if name.startswith("leadscoring-")
    }  # fmt: skip

    assert typed
    assert sorted(typed - set(get_commands())) == []
    assert served <= {f"leadscoring-{unit}" for unit in UNITS}


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.name)
def test_every_setting_and_file_that_is_named_is_there(page):
    text = page.read_text()
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z0-9]+)+\b", text))
    files = {
        f"{before}{each}{after}"
        for before, many, after in re.findall(rf"{HOME}([\w./-]*)(?:{{(.*?)}})?([\w.]*\w)", text)
        for each in many.split(",")
    }

    assert sorted(named - set(settings_explained()) - CAPITALS) == []
    assert [one for one in files - MADE if not (ROOT / one).exists()] == []


def texts_of(*places: str) -> list[str]:
    """The texts of Python files; what varies in one is …, as in the tables of the pages."""
    found = []
    for place in places:
        for path in (
            [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
        ):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
                elif isinstance(node, ast.JoinedStr):
                    found.append("".join(
                        str(each.value) if isinstance(each, ast.Constant) else VARIES
                        for each in node.values
                    ))  # fmt: skip
    return found


# Whoever was not seen: put before the sentence when it is said.
SILENT = re.compile(r"^(worker|the worker for …|beat) ")


def sentences(page: Path, heading: str) -> list[str]:
    """What stands as code in the first column of the tables after a heading."""
    part = page.read_text().split(heading, 1)[1].split("\n**Logs", 1)[0]
    rows = re.findall(r"^\| (`.*?) \|", part, re.M)
    return [sentence for row in rows for sentence in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize(
    ("page", "heading"),
    [(FOLLOWED[0], "**What `/readyz` says.**"), *((page, "## Errors") for page in FOLLOWED[1:])],
    ids=["readyz", *(page.stem for page in FOLLOWED[1:])],
)
def test_what_the_program_is_said_to_say_it_says(page, heading):
    said = "\n".join(texts_of("leadscoring", "crm_sync"))
    told = sentences(page, heading)

    assert len(told) > 10
    assert [
        sentence
        for sentence in told
        if any(part not in said for part in re.split(rf"\s*{VARIES}\s*", SILENT.sub("", sentence)))
    ] == []


@pytest.mark.parametrize(
    ("page", "most"), [(FOLLOWED[1], 10), (FOLLOWED[2], 8)], ids=["hubspot", "pipedrive"]
)
def test_every_error_of_the_crms_answers_is_explained(page, most):
    name = page.stem
    of_answers = texts_of(f"crm_sync/{name}/transport/errors.py")
    for_people = {
        text for text in of_answers
        if re.match(rf"({name}|The access token)(\w*_|'s)? ?\S", text, re.I) and text[-1] in f".{VARIES}"
        and "\n" not in text
    }  # fmt: skip

    assert len(for_people) > most
    assert sorted(for_people - set(sentences(page, "## Errors"))) == []
