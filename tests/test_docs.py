"""What the documentation points at, and what points at it, is there."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SOURCES = sorted(
    path
    for folder in ROOT.iterdir()
    if folder.is_dir() and not folder.name.startswith(".") and folder.name != "build"
    for kind in ("*.py", "*.html", "*.yml")
    for path in folder.rglob(kind)
)
FACTS = ROOT / "docs" / "hubspot-facts.md"
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


def test_every_fact_about_hubspot_says_how_sure_it_is_and_who_says_so_and_who_relies_on_it():
    sections = prose(FACTS).split("\n### ")[1:]
    last_lines = [
        re.search(r"^- (?:sure|to be tried).*(?:\n  .*)*", each, re.M) for each in sections
    ]

    assert sections
    assert [
        each.partition("\n")[0]
        for each, found in zip(sections, last_lines, strict=True)
        if not found or len(re.split(r"\s·\s", found[0])) != 3
    ] == []
