import sys
from types import ModuleType

import pytest

from crm_sync.connect import call_surface, connect, missing_setting
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


def test_the_version_that_is_set_is_the_one_that_is_spoken(settings):
    settings.HUBSPOT_ACCESS_TOKEN = "pat-made-up"
    settings.HUBSPOT_API_VERSION = "2026-09"

    calls, _ = call_surface()

    assert connect().calls == calls
    assert any("/objects/2026-09/" in call.path for call in calls)


def test_another_package_is_another_crm(settings, monkeypatch):
    another = object()
    theirs = ModuleType("crm_sync.other.entry")
    monkeypatch.setattr(theirs, "connect", lambda: another, raising=False)
    monkeypatch.setattr(theirs, "missing_setting", lambda: "OTHER_SECRET", raising=False)
    monkeypatch.setitem(sys.modules, "crm_sync.other", ModuleType("crm_sync.other"))
    monkeypatch.setitem(sys.modules, "crm_sync.other.entry", theirs)

    settings.CRM = "other"

    assert connect() is another
    assert missing_setting() == "OTHER_SECRET"
