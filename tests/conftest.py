"""One PostgreSQL and one Redis for the whole run, and the settings the tests run under.

pytest-django would read the settings before this file is; so the settings module is named here and
not in pyproject.toml, and Django is set up as soon as there is a database to name.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import django
import pytest
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, sync_playwright

from leadscoring import devservers
from sandbox.hubspot.server import Sandbox
from sandbox.pipedrive.server import Sandbox as PipedriveSandbox
from tests.port.hubspot_side import TOKEN, forget_hubspot
from tests.port.pipedrive_side import TOKEN as PIPEDRIVE_TOKEN
from tests.port.pipedrive_side import forget_pipedrive

TESTS = Path(__file__).parent
# Each setting is given, so that nobody's .env gets into the tests.
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "leadscoring.settings",
    "SECRET_KEY": "only-for-the-tests-and-therefore-not-secret-at-all-0123456789",
    "DEBUG": "off",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "CSRF_TRUSTED_ORIGINS": "http://testserver",
    "BASE_URL": "http://testserver",
    "EMAIL_URL": "memorymail://",
    "DEFAULT_FROM_EMAIL": "Northwind <marketing@northwind.example>",
    "ANYMAIL": '{"WEBHOOK_SECRET": "provider:made-up"}',
    "CRM": "hubspot",
    "HUBSPOT_ACCESS_TOKEN": "",
    "HUBSPOT_BASE_URL": "http://127.0.0.1:9",  # nobody listens there: no test reaches the real one
    "HUBSPOT_API_VERSION": "",
    "HUBSPOT_CLIENT_SECRET": "",
    "HUBSPOT_REQUESTS_PER_10S": "100",
    "CRM_POLL_SECONDS": "60",
    "CRM_MAX_AGE_SECONDS": "900",
    "ACCESS_LOG_DAYS": "365",
    "ANONYMOUS_DAYS": "90",
    "SENTRY_DSN": "",
    "REQUIRE_SECOND_FACTOR": "off",
    "TRUSTED_PROXIES": "0",
    "OIDC_ISSUER": "",
    "OIDC_CLIENT_ID": "",
    "OIDC_CLIENT_SECRET": "",
}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    os.environ.update(SETTINGS)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:  # its environment is the controller's, servers included
        os.environ["REDIS_URL"] = numbered(os.environ["REDIS_URL"], int(worker[2:]) + 1)
    elif not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        stack = ExitStack()
        urls = stack.enter_context(devservers.run_servers())
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = urls
        # Also after Ctrl-C and errors; a killed run's servers are ended by their guards.
        config.add_cleanup(stack.close)
    django.setup()
    if config.getoption("dist", "no") != "no":
        # pytest-xdist's workers inherit the environment: with this in it pytest-django would read
        # their settings before they have numbers, and all would share one Redis database.
        del os.environ["DJANGO_SETTINGS_MODULE"]


def numbered(redis_url: str, number: int) -> str:
    """A Redis database of its own for each worker; PostgreSQL's get theirs from pytest-django."""
    return urlsplit(redis_url)._replace(path=f"/{number}").geturl()


@pytest.fixture(scope="session")
def standin() -> Iterator[Sandbox]:
    """One stand-in of HubSpot for the whole run of a process. Tests take `sandbox`."""
    with Sandbox(TOKEN, rate=0) as running:
        yield running


@pytest.fixture
def sandbox(standin: Sandbox) -> Sandbox:
    """The stand-in as on its first day, and an adapter that has learned nothing of it yet."""
    standin.reset()
    forget_hubspot(os.environ["REDIS_URL"])
    return standin


@pytest.fixture(scope="session")
def pipedrive_standin() -> Iterator[PipedriveSandbox]:
    """One stand-in of Pipedrive for the whole run of a process. Tests take `pipedrive_sandbox`."""
    with PipedriveSandbox(PIPEDRIVE_TOKEN, daily=10_000_000) as running:
        yield running


@pytest.fixture
def pipedrive_sandbox(pipedrive_standin: PipedriveSandbox) -> PipedriveSandbox:
    """The stand-in as on its first day, as fast as one likes, and nothing learned of it yet."""
    pipedrive_standin.reset()
    pipedrive_standin.settings.rate, pipedrive_standin.settings.search_rate = 10_000, 0
    forget_pipedrive(os.environ["REDIS_URL"])
    return pipedrive_standin


# Where every test needs processes or the stand-in of the CRM, and what brings them elsewhere.
FOLDERS_WITH_PROCESSES = {
    TESTS / name
    for name in (
        "browser",
        "chaos",
        "clients",
        "sandbox",
        "loop",
        "port",
        "production",
        "operations",
        "upgrade",
    )
}
FIXTURES_WITH_PROCESSES = {
    "browser",
    "live_server",
    "pipedrive_standin",
    "sandbox",
    "standin",
    "there",
}
STARTS_A_PROCESS = {"subprocess.Popen", "os.fork", "os.posix_spawn", "os.system"}
running: list[pytest.Item] = []
# The longest first: a file stays on one worker, and the last ones to end should end together.
LONGEST_FILES = [
    TESTS / name
    for name in (
        "clients/test_clients.py",
        "loop/test_contract.py",
        "chaos/test_short.py",
        "browser/test_accessibility.py",
        "browser/test_admin.py",
        "loop/test_outages.py",
        "loop/test_week.py",
        "production/test_deployed.py",
        "leadscoring/test_embedded.py",
        "leadscoring/test_settings.py",
        "crm_sync/pull/test_histories.py",
        "leadscoring/test_web.py",
        "upgrade/test_upgrade.py",
        "crm_sync/handoff/test_outage.py",
        "sequences/test_several_workers.py",
        "engine/test_score.py",
    )
]

# What fails on a Monday morning, tried on running processes: `make drills`.
DRILLS = {
    TESTS / name
    for name in (
        "chaos/test_short.py",  # workers, web and beat killed at each step; clocks that leap
        "crm_sync/handoff/test_outage.py",  # the CRM away
        "crm_sync/hubspot/test_client.py",  # it drips, hangs, cuts off
        "leadscoring/test_log_in.py",  # many who guess at once
        "leadscoring/test_wakeup.py",  # Redis refuses
        "loop/test_kill.py",
        "loop/test_kill_following.py",
        "loop/test_kill_reassigning.py",
        "loop/test_outages.py",  # PostgreSQL and Redis away, killed, frozen, full
        "operations/test_overload.py",
        "operations/test_restore.py",
        "operations/test_schema.py",
        "sequences/test_sending.py",  # a mail server that refuses, hangs, is slow, goes away
        "sequences/test_several_workers.py",
        "upgrade/test_upgrade.py",
    )
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        order = {path: place for place, path in enumerate(LONGEST_FILES)}
        items.sort(key=lambda item: order.get(item.path, len(order)))
    for item in items:
        in_folder = FOLDERS_WITH_PROCESSES & set(item.path.parents)
        if in_folder or FIXTURES_WITH_PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker("processes")
        if item.path in DRILLS:
            item.add_marker("drill")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    running.append(item)
    try:
        return (yield)
    finally:
        running.remove(item)


def refuse_unmarked_process(event: str, arguments: tuple[object, ...]) -> None:
    """Hold `make check` to its word: a test that starts a process says so, or fails."""
    if event in STARTS_A_PROCESS and running and not running[-1].get_closest_marker("processes"):
        raise AssertionError(f"{running[-1].nodeid} starts a process: mark it `processes`.")


sys.addaudithook(refuse_unmarked_process)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shout what was skipped, with its reason: a run that left something out is not a green run."""
    skipped: dict[str, set[str]] = defaultdict(set)
    for report in terminalreporter.getreports("skipped"):
        skipped[str(report.longrepr[2]).removeprefix("Skipped: ")].add(report.nodeid)
    if skipped:
        terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
    for reason, tests in sorted(skipped.items()):
        files = sorted({test.partition("::")[0] for test in tests})
        terminalreporter.line(f"{len(tests)} of {', '.join(files)}: {reason}", red=True)


hypothesis_settings.register_profile("thorough", max_examples=1_000, deadline=None)  # `make long`
hypothesis_settings.register_profile("usual", max_examples=50, deadline=None)
hypothesis_settings.register_profile("quick", max_examples=15, deadline=None)  # `make check`
hypothesis_settings.load_profile("usual")

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--disable-quic"]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run of a process: Playwright can be there only once in a thread."""
    if not Path(CHROMIUM).exists():
        pytest.skip(
            f"NO BROWSER at {CHROMIUM}: pages were not looked at (apt-get install chromium)"
        )
    # Playwright keeps an event loop in this thread, which Django would mistake for an async view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running
        running.close()
