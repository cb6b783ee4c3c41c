"""One word, one meaning: what the names of the code and the glossary owe each other."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.test_shape import ROOT, SOURCES, parsed

MOST_FILES = 3
# Django finds a command by its file, so the class of each is called the same.
CONVENTIONAL = {"Command"}
# The API's description publishes the names of its schemas: a contact is a `Contact` there as it is in the
# database. They have a list of names of their own, in which none may be there twice either.
SCHEMAS = Path("leadscoring/api")
# What every adapter is asked for by name: docs/adding-a-crm.md.
ENTRIES = "entry.py"
# The stand-ins speak the words of their CRMs.
PRODUCT = [path for path in SOURCES if path.parts[0] != "sandbox"]
GLOSSARY = Path("docs/glossary.md")


def test_no_function_name_is_used_in_more_than_three_files() -> None:
    places = defaultdict(set)
    for path in PRODUCT:
        if path.name == ENTRIES:
            continue
        for node in parsed(path).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                places[node.name].add(str(path))

    crowded = {name: files for name, files in places.items() if len(files) > MOST_FILES}

    assert not crowded, listed(crowded)


def test_no_class_name_is_used_twice() -> None:
    places = defaultdict(set)
    for path in PRODUCT:
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and node.name not in CONVENTIONAL:
                published = "schema " if SCHEMAS in path.parents else ""
                places[published + node.name].add(str(path))

    twice = {name: files for name, files in places.items() if len(files) > 1}

    assert not twice, listed(twice)


def listed(places: dict[str, set[str]]) -> str:
    """A line for each name, the most used first."""
    lines = sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))
    return "\n" + "\n".join(
        f"{name} ({len(files)}): {', '.join(sorted(files))}" for name, files in lines
    )


def test_the_glossary_has_no_word_that_the_code_does_not_use() -> None:
    found = list(terms((ROOT / GLOSSARY).read_text()))

    unused = [term for term in found if f" {plain(term)} " not in vocabulary()]

    assert found
    assert not unused, (
        f"{GLOSSARY} explains what neither a name nor a text of the code says: {unused}"
    )


def test_terms_are_read_out_of_tables_and_lists() -> None:
    page = "| term | meaning |\n|---|---|\n| **Lease** / `back-off` | a **claim** |\n- **re-arm**: *x*\n"

    assert list(terms(page)) == ["Lease", "back-off", "re-arm"]


def terms(page: str) -> Iterator[str]:
    """What the page explains: the first column of its tables, and the bold words that begin a line."""
    for line in page.splitlines():
        cell = re.match(r"\|\s*([^|]+?)\s*\|", line)
        bold = re.match(r"(?:[-*]\s+)?\*\*(.+?)\*\*", line)
        if cell and not re.match(r"[-:\s]+$", cell[1]) and plain(cell[1]) not in ("term", "word"):
            told = cell[1]
        elif bold:
            told = bold[1]
        else:
            continue
        bare = re.sub(r"\(.*?\)|[*`:]", "", told)
        yield from (term.strip() for term in re.split(r"[/·,]", bare) if term.strip())


def plain(text: str) -> str:
    """Words in lower case and the singular, whether written as text, `snake_case` or `CamelCase`."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", text)
    return " ".join(re.sub(r"(?<=[a-z]{2})s$", "", word.lower()) for word in words)


@cache
def vocabulary() -> str:
    """Everything that is named in the code or said on its pages; not what comments and docstrings tell."""
    said = [plain(str(path.with_suffix(""))) for path in SOURCES]
    for path in SOURCES:
        tree = parsed(path)
        docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        said += [plain(text) for node in ast.walk(tree) if id(node) not in docstrings
                 for text in texts(node)]  # fmt: skip
    pages = sorted((ROOT / "templates").rglob("*.*"))
    said += [plain(page.read_text()) for page in pages]
    return "".join(f" {text} |" for text in said)


def texts(node: ast.AST) -> Iterator[str]:
    """The names and texts in one node of a syntax tree."""
    for field in ("id", "attr", "arg", "name"):
        if isinstance(name := getattr(node, field, None), str):
            yield name
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
