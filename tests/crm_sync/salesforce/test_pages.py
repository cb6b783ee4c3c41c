"""What the pages about Salesforce say is what the code says."""

import re

import pytest

from tests.test_docs import ROOT, SILENT, VARIES, prose, sentences, texts_of

PAGE, FACTS = ROOT / "docs" / "salesforce.md", ROOT / "docs" / "salesforce-facts.md"


def test_what_the_page_says_that_the_program_says_it_says():
    said = "\n".join(texts_of("crm_sync"))
    told = sentences(PAGE, "## Errors")

    assert len(told) > 10
    assert [
        sentence
        for sentence in told
        if any(part not in said for part in re.split(rf"\s*{VARIES}\s*", SILENT.sub("", sentence)))
    ] == []


def test_every_error_of_an_answer_is_explained():
    for_people = {
        text
        for text in texts_of("crm_sync/salesforce/transport/errors.py")
        if re.match(r"(Salesforce|SALESFORCE_|The org) ?\S", text)
        and text[-1] in f".{VARIES}"
        and "\n" not in text
    }

    assert len(for_people) > 8
    assert sorted(for_people - set(sentences(PAGE, "## Errors"))) == []


def test_every_fact_says_how_sure_it_is_and_who_says_so_and_who_relies_on_it():
    sections = prose(FACTS).split("\n### ")[1:]
    last_lines = [
        re.search(r"^- (?:sure|to be tried).*(?:\n  .*)*", each, re.M) for each in sections
    ]

    assert [
        each.partition("\n")[0]
        for each, found in zip(sections, last_lines, strict=True)
        if not found or len(re.split(r"\s·\s", found[0])) != 3
    ] == []


@pytest.mark.parametrize("section", prose(FACTS).split("\n### ")[1:], ids=lambda each: each.partition("\n")[0])  # fmt: skip
def test_the_modules_that_a_fact_names_are_there(section):
    told = section.rpartition("·")[2]
    names = re.findall(r"`([\w/]+\.py)`", told)

    assert names
    assert [name for name in names if not (ROOT / "crm_sync" / "salesforce" / name).is_file()] == []
