"""The contract is for any CRM, so it may know the words of none."""

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


@pytest.mark.parametrize("name", sorted(get_protocol_members(Crm)))
def test_the_page_about_adding_a_crm_names_every_method(name: str) -> None:
    page = (ROOT / "docs" / "adding-a-crm.md").read_text()

    assert f"`{name}`" in page
