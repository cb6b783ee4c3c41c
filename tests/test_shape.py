"""What holds for the shape of the code, whatever it does."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APPS = ("leadscoring", "sequences", "crm_sync", "sandbox")
SOURCES = [
    path.relative_to(ROOT)
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts
]
DECISIONS = {
    Path("sequences/policy.py"),
    *(
        Path("crm_sync") / f"{name}.py"
        for name in (
            "routing/__init__",
            "routing/absence",
            "routing/turns",
            "handoff/fate",
            "retrying",
        )
    ),
}
PURE = [path for path in SOURCES if "engine" in path.parts or path in DECISIONS]
CLOCKS = {"now", "today", "utcnow", "localtime", "time"}


def test_the_pure_code_is_found() -> None:
    assert {Path("leadscoring/engine/score.py"), *DECISIONS} <= set(PURE)


@pytest.mark.parametrize("path", PURE, ids=str)
def test_pure_code_reads_no_clock(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())

    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    called = {getattr(func, "attr", getattr(func, "id", None)) for func in calls}

    assert not called & CLOCKS


@pytest.mark.parametrize("path", PURE, ids=str)
def test_pure_code_has_no_default_for_an_instant(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]

    with_default = [
        name
        for function in functions
        for arguments in [function.args]
        for name in [
            one.arg for one in arguments.args[len(arguments.args) - len(arguments.defaults) :]
        ]
    ]

    assert "at" not in with_default


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_module_imports_a_private_name(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text())

    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    names = [alias.name for node in imports for alias in node.names]

    assert not [name for name in names if name.startswith("_") and not name.startswith("__")]
