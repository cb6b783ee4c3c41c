"""The contract is for any CRM, so it may know the words of none."""

import re
from pathlib import Path

import pytest
from typing_extensions import get_protocol_members

from crm_sync.hubspot.records.contacts import LIFECYCLE, READ
from crm_sync.pipedrive import fields, own_fields
from crm_sync.port import Crm
from tests.port import test_contract
from tests.port.hubspot_side import HubSpotSide

OURS = {"email", *LIFECYCLE}
PORTS = {"owner_id"}
WORDS = {"hubspot", *READ, *LIFECYCLE.values(), HubSpotSide.lifecycle_property,
         HubSpotSide.text_property,
         "pipedrive", *(name for name in fields.READ["contact"] if "_" in name),
         *(each.label.lower() for each in own_fields.OWN_FIELDS)} - OURS - PORTS  # fmt: skip


@pytest.mark.parametrize("word", sorted(WORDS))
def test_the_contract_speaks_no_crms_words(word: str) -> None:
    contract = Path(test_contract.__file__).read_text()

    assert word not in contract.lower()


ROOT = Path(__file__).parent.parent.parent
SETTINGS = ROOT / "leadscoring" / "settings.py"


@pytest.mark.parametrize("name", sorted(get_protocol_members(Crm)))
def test_the_page_about_adding_a_crm_names_every_method(name: str) -> None:
    page = (ROOT / "docs" / "adding-a-crm.md").read_text()

    assert f"`{name}`" in page


def test_no_code_and_no_page_outside_the_adapters_names_a_crm() -> None:
    adapters = {path.parent for path in ROOT.glob("crm_sync/*/entry.py")}
    names = re.compile("|".join(sorted(path.name for path in adapters)), re.IGNORECASE)
    files = [
        path
        for room in ("leadscoring", "crm_sync", "sequences", "templates")
        for path in (ROOT / room).rglob("*")
        if path.suffix in (".py", ".html", ".txt", ".js", ".css")
    ]
    outside = [path for path in files if adapters.isdisjoint(path.parents) and path != SETTINGS]

    assert len(outside) > 300
    assert {path for path in outside if names.search(path.read_text())} == set()
