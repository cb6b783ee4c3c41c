"""People without doubles, although nothing there is unique and the search lags."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.pipedrive.records.whole_lists import WholeLists
from crm_sync.port import CrmBusy, CrmContact, CrmContactWrite, CrmMissing, CrmRejected
from crm_sync.transport.redis_state import RedisState
from tests.port.pipedrive_side import PERSONS, TOKEN


def by_email(email, **properties):
    return CrmContactWrite(email, "", email, properties)


def by_record(record_id, **properties):
    return CrmContactWrite(record_id, record_id, "", properties)


def person(there, record_id):
    return there.ask("GET", f"{PERSONS}/{record_id}")["data"]


def big(there, settings):
    """An account in which to read everybody costs more than to search."""
    shared = RedisState(settings.REDIS_URL, "pipedrive", there.url, TOKEN)
    assert WholeLists(shared).read("persons", [[{"id": 1}]] * 1_000, 300) is None


# --- finding


def test_a_person_whom_the_index_does_not_show_yet_is_found(pipedrive, there, settings, asked):
    big(there, settings)
    record_id = there.add_contact("ada@x.example")
    asked()

    found = pipedrive.contacts_by_email(["ada@x.example"], [])

    assert found["ada@x.example"].record_id == record_id
    assert "GET /api/v2/persons/search" not in asked()


def test_a_deleted_person_in_the_index_is_not_believed(pipedrive, there, dials, settings, asked):
    big(there, settings)
    dials.search_lag = 0
    there.archive(there.add_contact("ada@x.example"))
    asked()

    assert pipedrive.contacts_by_email(["ada@x.example"], []) == {}
    assert "GET /api/v2/persons/search" in asked()


def test_who_was_not_there_is_not_searched_again_for_a_while(pipedrive, there, settings, asked):
    big(there, settings)
    pipedrive.contacts_by_email(["ada@x.example"], [])
    asked()

    pipedrive.save_contacts([by_email("ada@x.example")])

    assert "GET /api/v2/persons/search" not in asked()
    assert there.contacts() == 1


def test_in_a_small_account_everybody_is_read_at_once(pipedrive, there, asked):
    addresses = [f"p{number}@x.example" for number in range(100)]
    there.add_contact("somebody@x.example")
    pipedrive.contacts_by_email(addresses[:1], [])
    asked()

    pipedrive.contacts_by_email(addresses, [])

    assert asked() == ["GET /api/v2/persons"]


def test_of_several_people_of_one_address_the_one_whose_primary_it_is_is_taken(pipedrive, there):
    addresses = [{"value": "eve@x.example", "primary": True}, {"value": "ada@x.example"}]
    there.made(PERSONS, {"name": "Eve", "emails": addresses})
    first, _ = (there.add_contact("ada@x.example") for _ in range(2))

    found = pipedrive.contacts_by_email(["ada@x.example"], [])

    assert found["ada@x.example"].record_id == first


@pytest.mark.parametrize(
    "address",
    [
        "o'hara+%_*?@x.example",
        'a"b\\c@x.example',
        "a&fields=name&term=b@x.example",
        f"{'a' * 240}@x.example",
        "ädä@x.example",
    ],
)
def test_an_address_is_looked_for_as_it_is(pipedrive, there, settings, dials, address):
    big(there, settings)
    dials.search_lag = 0
    other, record_id = there.add_contact("b@x.example"), there.add_contact(address)

    assert pipedrive.contacts_by_email([address], [])[address].record_id == record_id
    saved = pipedrive.save_contacts([by_email(address, first_name="A")])

    assert (saved[address].record_id, there.contacts()) == (record_id, 2)
    assert other != record_id


# --- making


def test_two_workers_make_one_person_of_an_address(pipedrive, there, settings):
    others = [Pipedrive(TOKEN, there.url, settings.REDIS_URL) for _ in range(4)]

    def save(crm):
        try:
            return crm.save_contacts([by_email("ada@x.example", first_name="Ada")])["ada@x.example"]
        except CrmBusy as busy:
            return busy

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(save, others))

    assert there.contacts() == 1
    assert len({each.record_id for each in answers if isinstance(each, CrmContact)}) == 1


def test_an_address_that_another_worker_is_making_holds_no_other(pipedrive, there, settings):
    locks = pipedrive._locks.take(["ada@x.example"])

    saved = pipedrive.save_contacts([by_email("ada@x.example"), by_email("bob@x.example")])
    pipedrive._locks.release(locks)

    assert isinstance(saved["ada@x.example"], CrmBusy)
    assert saved["bob@x.example"].record_id
    assert pipedrive.save_contacts([by_email("ada@x.example")])["ada@x.example"].record_id


def spoil_creation(there, kind, **more):
    match = {"path_prefix": PERSONS, "method": "POST"}
    there.ask("POST", "/sandbox/faults", {"kind": kind, "match": match, **more})


@pytest.mark.parametrize("kind", ["drop_after", "garbage", "status_after"])
def test_a_person_whose_creation_was_not_answered_is_made_once(pipedrive, there, kind):
    spoil_creation(there, kind)
    with pytest.raises(CrmBusy):
        pipedrive.save_contacts([by_email("ada@x.example")])

    saved = pipedrive.save_contacts([by_email("ada@x.example")])

    assert (saved["ada@x.example"].record_id != "", there.contacts()) == (True, 1)


def test_nobody_is_made_after_a_silence_until_it_is_known_what_came_of_it(pipedrive, there):
    """The request may be on its way still: the first look does not show the person."""
    spoil_creation(there, "drop_before")
    with pytest.raises(CrmBusy):
        pipedrive.save_contacts([by_email("ada@x.example")])

    again = pipedrive.save_contacts([by_email("ada@x.example")])

    assert isinstance(again["ada@x.example"], CrmBusy)
    assert there.contacts() == 0


def test_nobody_is_made_while_locks_cannot_be_had(there, pipedrive):
    elsewhere = Pipedrive(TOKEN, there.url, "redis://127.0.0.1:1/0")

    with pytest.raises(CrmBusy, match="locks"):
        elsewhere.save_contacts([by_email("ada@x.example")])

    assert there.contacts() == 0


def test_whom_a_lock_is_not_needed_for_is_written(pipedrive, there):
    record_id = there.add_contact("ada@x.example")
    pipedrive._locks.take(["ada@x.example"])

    saved = pipedrive.save_contacts([by_email("ada@x.example", first_name="Ada", last_name="L")])

    assert saved["ada@x.example"].record_id == record_id


# --- names and addresses


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({}, "ada"),
        ({"first_name": "Ada", "last_name": "King Noel"}, "Ada King Noel"),
        ({"first_name": "Ada"}, "Ada"),
        ({"last_name": "Lovelace"}, "Lovelace"),
        ({"name": "Countess", "first_name": "Ada"}, "Countess"),
        ({"first_name": "🦊" * 300, "last_name": "x"}, "🦊" * 127 + " x"),
    ],
)
def test_a_new_person_has_a_name(pipedrive, there, sent, name):
    saved = pipedrive.save_contacts([by_email("ada@x.example", **sent)])

    assert person(there, saved["ada@x.example"].record_id)["name"] == name


def test_one_part_of_a_name_is_written_with_the_other(pipedrive, there):
    record_id = there.made(PERSONS, {"first_name": "Ada", "last_name": "Byron"})

    pipedrive.save_contacts([by_record(record_id, last_name="Lovelace")])

    found = person(there, record_id)
    assert (found["first_name"], found["last_name"]) == ("Ada", "Lovelace")


def test_addresses_and_numbers_that_others_wrote_stay(pipedrive, there):
    body = {
        "name": "Ada",
        "emails": [{"value": "old@x.example", "primary": True, "label": "home"}],
        "phones": [{"value": "1", "primary": True}, {"value": "2", "label": "mobile"}],
    }
    record_id = there.made(PERSONS, body)

    saved = pipedrive.save_contacts([by_record(record_id, email="new@x.example", phone="3")])

    found = person(there, record_id)
    assert [(each["value"], each["primary"]) for each in found["emails"]] == [
        ("new@x.example", True),
        ("old@x.example", False),
    ]
    assert [each["value"] for each in found["phones"]] == ["3", "1", "2"]
    assert saved[record_id].email == "new@x.example"
    assert saved[record_id].properties == {"email": "new@x.example", "phone": "3"}


def test_an_address_that_is_written_again_is_there_once(pipedrive, there):
    record_id = there.add_contact("ada@x.example")

    for _ in range(2):
        pipedrive.save_contacts([by_record(record_id, email="Ada@X.example")])

    assert [each["value"] for each in person(there, record_id)["emails"]] == ["Ada@X.example"]


# --- owners


def test_who_belongs_to_the_tokens_user_belongs_to_nobody(pipedrive, there):
    """Pipedrive makes the token's user the owner of whom we make."""
    saved = pipedrive.save_contacts([by_email("ada@x.example")])["ada@x.example"]
    owned = there.add_contact("bob@x.example", owner_id=there.active_owner)

    found = pipedrive.contacts_by_id([saved.record_id, owned], [])

    assert [found[id_].owner_id for id_ in (saved.record_id, owned)] == ["", there.active_owner]


# --- deleted and merged


@pytest.mark.parametrize("writable", [True, False])
@pytest.mark.parametrize("readable", [True, False])
def test_a_deleted_person_is_missing_whatever_pipedrive_answers(
    pipedrive, there, dials, writable, readable
):
    dials.deleted_writable, dials.deleted_readable = writable, readable
    gone = there.add_contact("ada@x.example")
    there.archive(gone)

    assert isinstance(pipedrive.save_contacts([by_record(gone, first_name="A")])[gone], CrmMissing)
    assert pipedrive.contacts_by_id([gone], []) == {}


def test_ids_that_are_none_are_asked_of_nobody(pipedrive, asked):
    strange = ["", "0x1", "1,2", "../deals/1", "9" * 30, "one"]

    assert pipedrive.contacts_by_id(strange, []) == {}
    assert pipedrive.archived_contacts(strange) == set()
    assert asked() == []


# --- opting out


def test_an_opt_out_is_told_in_the_field_of_ours_where_there_is_no_campaigns(pipedrive, there):
    record_id = there.add_contact("ada@x.example")

    assert pipedrive.opt_out(["ADA@x.example"]) == {"ADA@x.example": None}

    assert pipedrive.contacts_by_id([record_id], [])[record_id].opted_out


@pytest.fixture
def campaigns(dials, there, new_account):
    dials.campaigns = True
    there.add_contact("somebody@x.example")
    new_account.set_up(new_account.made_properties, plan=False)
    return new_account


def test_an_opt_out_is_told_to_campaigns_too(campaigns, there):
    record_id = there.add_contact("ada@x.example")
    there.change(record_id, marketing_status="subscribed")

    campaigns.opt_out(["ada@x.example"])

    found = there.ask("GET", f"{PERSONS}/{record_id}?include_fields=marketing_status")["data"]
    assert found["marketing_status"] == "unsubscribed"
    assert campaigns.contacts_by_id([record_id], [])[record_id].opted_out


def test_who_unsubscribed_in_campaigns_has_opted_out(campaigns, there):
    record_id = there.add_contact("ada@x.example")
    there.change(record_id, marketing_status="unsubscribed")

    assert campaigns.contacts_by_id([record_id], [])[record_id].opted_out


@pytest.mark.parametrize("status", [200, 400, 403])
def test_an_account_without_campaigns_is_asked_once(pipedrive, there, dials, status, asked):
    dials.without_campaigns = status
    record_id = there.add_contact("ada@x.example")
    asked()

    for _ in range(3):
        assert pipedrive.contacts_by_id([record_id], [])[record_id].email == "ada@x.example"

    assert asked().count("GET /api/v2/persons") == 1 + 3


def test_an_address_of_nobody_there_needs_no_opting_out(pipedrive, there):
    assert pipedrive.opt_out(["ada@x.example"]) == {"ada@x.example": None}
    assert there.contacts() == 0


def test_an_opt_out_that_pipedrive_does_not_keep_is_an_error(pipedrive, there):
    there.add_contact("ada@x.example")
    unchanged = {"success": True, "data": {"id": 1, "custom_fields": {}}}
    fault = {
        "kind": "status",
        "status": 200,
        "body": unchanged,
        "match": {"path_prefix": PERSONS, "method": "PATCH"},
    }
    there.ask("POST", "/sandbox/faults", fault)

    assert isinstance(pipedrive.opt_out(["ada@x.example"])["ada@x.example"], CrmRejected)
