"""What the audit says of an account, and what it costs."""

from datetime import UTC, datetime

import pytest

from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.port import CrmProperty
from tests.port.pipedrive_side import TOKEN

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def flaws(crm, wanted=(), written=()):
    return list(crm.audit(list(wanted), list(written), NOON).problems)


def test_an_account_that_was_not_set_up_is_told_what_lacks(new_account):
    (flaw,) = flaws(new_account)

    assert "E-mail opt-out" in flaw.what
    assert (flaw.stops, "crm_setup" in flaw.fix) == (False, True)


def test_a_user_who_may_not_see_everything_is_named(pipedrive, there):
    there.forbid(admin=False)

    (flaw,) = flaws(pipedrive)

    assert ("hidden" in flaw.what, flaw.stops) == (True, False)


def test_every_permission_that_lacks_is_named(pipedrive, there):
    there.forbid_writing()

    stopping = [flaw.what for flaw in flaws(pipedrive) if flaw.stops]

    assert len(stopping) == 2
    assert "update a person" in stopping[0]
    assert "update an activity" in stopping[1]


@pytest.mark.parametrize(
    ("off", "stops"), [(("call", "task", "email"), False), (None, True), (("lunch",), None)]
)
def test_kinds_of_activities_that_lack_are_named(pipedrive, there, off, stops):
    with there.sandbox.state.lock:
        for each in there.sandbox.store.activity_types:
            if off is None or each["key_string"] in off:
                each["active_flag"] = False

    assert [flaw.stops for flaw in flaws(pipedrive)] == ([] if stops is None else [stops])


def test_a_day_that_is_nearly_used_up_is_named(pipedrive, there, dials, settings):
    dials.daily, there.sandbox.state.pace.used_today = 30_000, 28_000

    (flaw,) = flaws(Pipedrive(TOKEN, there.url, settings.REDIS_URL))

    assert "30,000" in flaw.what


def test_a_field_under_the_default_mappings_name_wants_set_up(pipedrive):
    (flaw,) = flaws(pipedrive, [CrmProperty("lead_score", "Lead score", "number")])

    assert ("lead_score" in flaw.what, "crm_setup" in flaw.fix) == (True, True)


def test_a_field_that_is_pipedrives_own_is_read_only(pipedrive):
    (flaw,) = flaws(pipedrive, [], ["add_time", "email", "first_name"])

    assert "add_time" in flaw.what


def test_an_audit_costs_little(pipedrive, there):
    before = there.sandbox.state.pace.used_today

    flaws(pipedrive)

    assert there.sandbox.state.pace.used_today - before <= 120


def test_the_account_is_known_by_its_company_and_links_by_its_address(pipedrive, there):
    assert pipedrive.account().id == str(there.sandbox.store.company_id)
    assert pipedrive.contact_url("7") == f"{there.url}/person/7"


@pytest.mark.parametrize(
    ("base", "domain", "pages"),
    [
        ("https://api.pipedrive.com", "acme", "https://acme.pipedrive.com"),
        ("https://api.pipedrive.com", "evil.example/#", "https://api.pipedrive.com"),
        ("https://api.pipedrive.com", "", "https://api.pipedrive.com"),
        ("https://acme.pipedrive.com/", "other", "https://acme.pipedrive.com"),
    ],
)
def test_a_link_leads_to_the_companys_own_pages(settings, base, domain, pages):
    from crm_sync.pipedrive.records.account_memory import AccountMemory
    from crm_sync.transport.redis_state import RedisState

    memory = AccountMemory(RedisState(settings.REDIS_URL, "pipedrive", base), base)

    assert memory._pages(domain) == pages


def test_the_tokens_user_takes_no_leads_while_others_do(pipedrive, there):
    own = str(there.ask("GET", "/v1/users/me")["data"]["id"])

    active = {owner.owner_id for owner in pipedrive.owners() if owner.active}

    assert own not in active
    assert there.active_owner in active


def test_an_account_of_one_user_gives_its_leads_to_that_one(pipedrive, there):
    own = there.ask("GET", "/v1/users/me")["data"]["id"]
    with there.sandbox.state.lock:
        for id_, user in there.sandbox.store.users.items():
            user["active_flag"] = id_ == own

    assert [owner.owner_id for owner in pipedrive.owners() if owner.active] == [str(own)]
