"""What a process loads when it starts: workers, beat and commands do without the web pages."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core import checks

PAGES = (
    "ninja",
    "leadscoring.api.routes",
    "leadscoring.admin.people",
    "crm_sync.webhooks",
    "django.test",
    "allauth.account.views",
    "allauth.mfa.webauthn.forms",
    "allauth.socialaccount.providers.oauth2.client",
)
LOADED = f"import sys; print([name for name in {PAGES} if name in sys.modules])"


def loaded_by(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; {LOADED}"],
        cwd=settings.BASE_DIR, env={**os.environ, "DJANGO_SETTINGS_MODULE": "leadscoring.settings"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.processes
def test_a_worker_loads_no_web_pages():
    worker = "import django; django.setup(); from leadscoring.celery import app; app.loader.import_default_modules()"

    assert loaded_by(worker) == "[]"


@pytest.mark.processes
def test_a_command_loads_no_web_pages():
    command = "from django.core.management import execute_from_command_line as run; run(['manage.py', 'help', 'rescore'])"

    assert loaded_by(command).endswith("[]")


@pytest.mark.processes
def test_the_web_process_loads_them():
    web = (
        "import leadscoring.wsgi; from django.urls import get_resolver; get_resolver().url_patterns"
    )

    assert all(name in loaded_by(web) for name in PAGES)


def test_the_admin_passes_djangos_own_checks():
    # `manage.py check` may look at the admin before the addresses are loaded, which register it.
    __import__(settings.ROOT_URLCONF)

    assert checks.run_checks(tags=["admin"]) == []
