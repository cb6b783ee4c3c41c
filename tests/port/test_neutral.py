"""The contract is for any CRM, so it may know the words of none."""

from pathlib import Path

import pytest

from crm_sync.hubspot.contacts import LIFECYCLE, READ
from tests.port import test_contract
from tests.port.hubspot_side import HubSpotSide

OURS = {"email", *LIFECYCLE}
WORDS = {"hubspot", *READ, *LIFECYCLE.values(), HubSpotSide.lifecycle_property,
         HubSpotSide.stage_of_their_own, HubSpotSide.text_property} - OURS  # fmt: skip


@pytest.mark.parametrize("word", sorted(WORDS))
def test_the_contract_speaks_no_crms_words(word: str) -> None:
    contract = Path(test_contract.__file__).read_text()

    assert word not in contract.lower()
