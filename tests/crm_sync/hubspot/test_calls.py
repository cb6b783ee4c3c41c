import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_sync.hubspot import calls
from crm_sync.hubspot.calls import CALLS
from crm_sync.port import CrmContactWrite, CrmProperty, CrmTaskWrite

HERE = Path(calls.__file__).parent
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def everything(crm, there):
    """Use every method so that every kind of request is made."""
    crm.account()
    crm.owners()
    crm.stages()
    crm.lead_statuses()
    crm.set_up([CrmProperty("lead_score", "Lead score", "number")], plan=False)
    (saved,) = crm.save_contacts([CrmContactWrite("a", "", "a@x.example", {})]).values()
    merged = there.merge(saved.record_id, there.add_contact("b@x.example"))
    crm.save_contacts([CrmContactWrite("a", saved.record_id, "", {"jobtitle": "CTO"})])
    crm.contacts_by_id([merged, "1"], [])
    crm.create_tasks([CrmTaskWrite("t", merged, there.active_owner, "Hot", "ref LS-1", NOON)])
    crm.tasks_of([merged])
    there.add_deal("Deal", there.open_stage, merged)
    crm.deals_of([merged])


def entries(request):
    """The table's entries that a request may be."""
    path = request["path"].partition("?")[0]
    return {
        call
        for call in CALLS
        if call.method == request["method"]
        and re.fullmatch(re.sub(r"\{\w+\}", r"\\d+", call.path), path)
    }


def test_the_table_is_what_hubspot_is_asked_no_more_and_no_less(hubspot, there, sandbox):
    own = len(there.seen())
    everything(hubspot, there)
    by_others = {"/crm/v3/objects/contacts", "/crm/v3/objects/deals"}

    seen = [each for each in there.seen()[own:] if each["path"] not in by_others]
    seen = [each for each in seen if not each["path"].endswith("/merge")]

    assert [each for each in seen if len(entries(each)) != 1] == []
    assert set(CALLS) == set().union(*map(entries, seen))


def test_no_request_is_one_too_many_or_not_as_described(hubspot, there):
    everything(hubspot, there)

    # 404: an id that is nowhere is asked for alone, to see whether it was merged.
    assert {each["status"] for each in there.seen()} <= {200, 201, 207, 404}


@pytest.mark.parametrize("path", sorted(HERE.glob("*.py")), ids=lambda path: path.name)
def test_no_call_goes_past_the_table(path):
    tree = ast.walk(ast.parse(path.read_text()))
    called = {
        getattr(node.func, "attr", getattr(node.func, "id", None))
        for node in tree
        if isinstance(node, ast.Call)
    }

    assert "Call" not in called or path.name == "calls.py"
    assert "call_api" not in called or path.name == "client.py"
    assert not called & {"urlopen", "api_request"}


def test_only_the_creation_of_tasks_must_not_be_repeated():
    assert [call for call in CALLS if not call.retry] == [calls.CREATE_TASKS]


def test_every_entry_says_what_it_is_for():
    assert all(call.purpose and call.path.startswith("/") for call in CALLS)
    assert len({call.purpose for call in CALLS}) == len(CALLS)
