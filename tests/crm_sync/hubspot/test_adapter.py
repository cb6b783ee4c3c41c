import urllib.request

from crm_sync.hubspot.adapter import HubSpot
from tests.port.hubspot_side import TOKEN


def test_a_contacts_link_opens_the_contact(hubspot, there):
    record_id = there.add_contact("ada@x.example")
    hubspot.account()

    with urllib.request.urlopen(hubspot.contact_url(record_id), timeout=10) as page:
        assert "ada@x.example" in page.read().decode()


def test_another_process_knows_the_link_without_asking(hubspot, sandbox, there, settings):
    hubspot.account()
    asked = len(there.seen())
    another = HubSpot(TOKEN, sandbox.url, settings.REDIS_URL)

    assert another.contact_url("7") == hubspot.contact_url("7") != ""
    assert len(there.seen()) == asked


def test_without_redis_everything_works_slowly(sandbox):
    crm = HubSpot(TOKEN, sandbox.url, "redis://127.0.0.1:1/0")

    assert crm.account().id == str(sandbox.store.portal_id)
    assert crm.contact_url("7") != ""


def test_an_owner_that_is_a_queue_takes_no_leads(hubspot, there):
    queue = {"id": "9", "type": "QUEUE", "archived": False, "email": "q@x.example"}
    there.trouble("status", "/crm/v3/owners", status=200, body={"results": [queue]}, times=1)

    (found,) = [owner for owner in hubspot.owners() if owner.owner_id == "9"]

    assert (found.active, found.name) == (False, "q@x.example")


def test_owners_are_read_to_the_last_page(hubspot, there):
    page = {"results": [{"id": "9", "type": "PERSON"}], "paging": {"next": {"after": "9"}}}
    there.trouble("status", "/crm/v3/owners", status=200, body=page, times=1)

    found = [owner.owner_id for owner in hubspot.owners() if owner.active]

    assert found[0] == "9"
    assert len(found) > 1


def test_stages_with_odd_metadata_are_open_and_unknown(hubspot, there):
    stages = [
        {"id": "a", "label": "A", "displayOrder": 2, "metadata": {"isClosed": "True"}},
        {"id": "b", "label": "B", "displayOrder": 1, "metadata": {"probability": "nan"}},
        {"id": "c", "label": "Closed lost", "displayOrder": 3, "archived": True},
    ]
    pipelines = {"results": [{"id": "p", "label": "P", "stages": stages}]}
    there.trouble("status", "/crm/v3/pipelines", status=200, body=pipelines)

    found = hubspot.stages()

    assert [stage.stage_id for stage in found] == ["b", "a", "c"]
    assert [stage.probability for stage in found] == [None, None, None]
    assert [stage.closed for stage in found] == [False, True, False]
    assert found[2].archived
