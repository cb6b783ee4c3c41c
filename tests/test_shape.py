"""What holds for the shape of the code, whatever it does: a test for each rule, which names all who break it.

What a tool can say is said in pyproject.toml: who may import whom (import-linter), style (ruff).
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
APPS = ("leadscoring", "sequences", "crm_sync", "sandbox")
SOURCES = [
    path.relative_to(ROOT)
    for app in APPS
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts
]
DECISIONS = {
    Path(name)
    for name in (
        "sequences/policy.py",
        "crm_sync/routing/choose.py",
        "crm_sync/routing/availability.py",
        "crm_sync/routing/round_robin.py",
        "crm_sync/task_tracking/outcome.py",
        "leadscoring/common/backoff.py",
        "leadscoring/common/spans.py",
    )
}
PURE = [path for path in SOURCES if "engine" in path.parts or path in DECISIONS]
CLOCKS = {"now", "today", "utcnow", "localtime", "time"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def test_the_pure_code_is_found() -> None:
    assert {Path("leadscoring/engine/score.py"), *DECISIONS} <= set(PURE)


def test_pure_code_reads_no_clock() -> None:
    reads = [
        f"{path}:{node.lineno}: {name}()"
        for path in PURE
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        for name in [getattr(node.func, "attr", getattr(node.func, "id", None))]
        if name in CLOCKS
    ]

    assert not reads, "\n".join(reads)


def test_pure_code_has_no_default_for_an_instant() -> None:
    with_default = [
        f"{path}:{node.lineno}: {node.name}()"
        for path in PURE
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef) and "at" in arguments_with_default(node.args)
    ]

    assert not with_default, "\n".join(with_default)


def arguments_with_default(arguments: ast.arguments) -> Iterator[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    yield from (one.arg for one in positional[len(positional) - len(arguments.defaults) :])
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    yield from (one.arg for one, default in named if default is not None)


def test_no_module_imports_a_private_name() -> None:
    """Ruff's rule for it says nothing of imports within one package."""
    private = [
        f"{path}:{node.lineno}: {alias.name}"
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]

    assert not private, "\n".join(private)
