"""requirements.txt alone: every package that the product imports is asked for by its own name."""

import ast
import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import PurePosixPath

from tests.production import requirements
from tests.production.image import ROOT, image

# manage.py asks for the demo of `sandbox`, and says so in a sentence where there is none.
OURS = {"leadscoring", "sequences", "crm_sync", "sandbox"}
SOURCES = sorted(path for path in image() if PurePosixPath(path).suffix == ".py")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    lines = (ROOT / "requirements.in").read_text().splitlines()
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines)
    return {normal(name[0]) for name in names if name}


def imported() -> dict[str, str]:
    """Top-level module -> a file that imports it, or the setting that names it; not the standard library's."""
    found: dict[str, str] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            found.update((name.split(".")[0], path) for name in names)
    return {
        name: path for name, path in found.items() if name not in sys.stdlib_module_names | OURS
    }


def named_in_settings() -> dict[str, str]:
    from django.conf import settings

    names = [*settings.INSTALLED_APPS, *settings.MIDDLEWARE]
    return {
        name.split(".")[0]: "leadscoring/settings.py"
        for name in names
        if name.split(".")[0] not in OURS
    }


def test_each_package_that_the_product_imports_is_declared():
    of_module = packages_distributions()

    undeclared = {
        f"{module} ({where})"
        for module, where in (imported() | named_in_settings()).items()
        if not {normal(name) for name in of_module.get(module, [])} & declared()
    }

    assert undeclared == set()
    assert {"django", "redis", "gunicorn", "whitenoise"} <= set(imported() | named_in_settings())


def test_each_declared_package_is_pinned():
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.txt").read_text(), re.M)

    assert declared() <= {normal(name) for name in pinned}


EVERYTHING = """
import importlib, json, sys, warnings
import django
django.setup()
failed = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}"
from celery import current_app
current_app.connection_for_write().transport
import flower.command
print(json.dumps(failed))
"""


def test_every_module_of_the_product_can_be_imported_in_production(tmp_path):
    from tests.production.image import copy_image

    modules = [
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in SOURCES
        if path != "manage.py"
    ]
    given = {
        "DJANGO_SETTINGS_MODULE": "leadscoring.settings", "SECRET_KEY": "k3y" * 20, "PATH": "/usr/bin:/bin",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing", "REDIS_URL": "redis://127.0.0.1:9/0",
        "BASE_URL": "https://leads.example.com", "EMAIL_URL": "off",
    }  # fmt: skip

    done = subprocess.run(
        [str(requirements.made() / "bin" / "python"), "-c", EVERYTHING, *modules],
        cwd=copy_image(tmp_path / "app"), env=given, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}
