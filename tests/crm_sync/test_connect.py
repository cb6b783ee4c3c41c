import pytest

from crm_sync.connect import connect
from crm_sync.port import CrmOff


def test_without_a_token_every_question_is_refused_with_the_reason(settings):
    settings.HUBSPOT_ACCESS_TOKEN = ""

    crm = connect()

    assert not crm.connected
    with pytest.raises(CrmOff, match="HUBSPOT_ACCESS_TOKEN"):
        crm.owners()


def test_without_a_crm_pages_have_no_links_and_no_stages(settings):
    settings.HUBSPOT_ACCESS_TOKEN = ""

    assert connect().contact_url("1") == ""
    assert dict(connect().lifecycle_words) == {}


def test_one_adapter_serves_a_process(settings):
    settings.HUBSPOT_ACCESS_TOKEN = "pat-made-up"

    assert connect() is connect()
    assert connect().connected


def test_another_token_or_address_is_another_crm(settings):
    settings.HUBSPOT_ACCESS_TOKEN = "pat-made-up"
    first = connect()

    settings.HUBSPOT_BASE_URL = "http://127.0.0.1:1"

    assert connect() is not first
