"""One PostgreSQL and one Redis for the whole run, and the settings the tests run under.

pytest-django would read the settings before this file is; so the settings module is named here and
not in pyproject.toml, and Django is set up as soon as there is a database to name.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import django
import pytest
from playwright.sync_api import Browser, sync_playwright

from leadscoring import devservers
from sandbox.hubspot.server import Sandbox
from tests.port.hubspot_side import TOKEN, forget_hubspot

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
    "SENTRY_DSN": "",
}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    os.environ.update(SETTINGS)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:  # its environment is the controller's, servers included
        os.environ["REDIS_URL"] = numbered(os.environ["REDIS_URL"], int(worker[2:]) + 1)
    elif not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        serving = devservers.run_servers()
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = serving.__enter__()
        # Also after Ctrl-C and errors; a killed run's servers are ended by their guards.
        config.add_cleanup(lambda: serving.__exit__(None, None, None))
    django.setup()
    if not worker:
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
