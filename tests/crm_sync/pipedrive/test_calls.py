"""The table of calls against what Pipedrive is asked."""

import ast
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.pipedrive.records.webhook_registration import WebhookTarget
from crm_sync.pipedrive.transport import calls
from crm_sync.pipedrive.transport.calls import CALLS
from crm_sync.port import CrmContactWrite, CrmProperty, CrmTaskChange, CrmTaskWrite, TaskText
from tests.crm_sync.hubspot.bare import BareServer
from tests.crm_sync.pipedrive.test_errors import http
from tests.crm_sync.pipedrive.test_people import big
from tests.port.pipedrive_side import TOKEN

PACKAGE = Path(calls.__file__).parent.parent
# What reaches the network, or makes a call of the table -> the only module that may.
REACHES = {
    "PipedriveCall": "calls.py",
    "send": "client.py",
    "urlopen": "",
    "HttpTransport": "client.py",
}
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def everything(crm, there, settings):
    """Use every method so that every kind of request is made."""
    big(there, settings)
    crm.account()
    crm.owners()
    crm.stages()
    crm.set_up([CrmProperty("lead_score", "Lead score", "number")], plan=False)
    (saved,) = crm.save_contacts([CrmContactWrite("a", "", "a@x.example", {})]).values()
    crm.save_contacts([CrmContactWrite("a", saved.record_id, "", {"first_name": "Ada"})])
    crm.contacts_by_id([saved.record_id, "1"], [])
    task = CrmTaskWrite("t", saved.record_id, there.active_owner, "Hot", TaskText("ref LS-1"), NOON)
    made = crm.create_tasks([task])["t"]
    crm.tasks_of([saved.record_id])
    crm.change_tasks([CrmTaskChange(made.task_id, subject="Hotter")])
    crm.archived_tasks([made.task_id])
    crm.archive_tasks([made.task_id])
    crm.opt_out(["a@x.example"])
    there.employ(saved.record_id, there.active_owner)
    crm.company_owners([saved.record_id])
    bob = there.add_contact("b@x.example")
    crm.contacts_of_deals([there.add_deal("Deal", there.open_stage, saved.record_id, bob)])
    crm.deals_of([saved.record_id])
    crm.audit([], [], NOON)


def entries(request):
    """The table's entries that a request may be: the most literal path."""
    path = request["path"].partition("?")[0]
    fitting = [
        call
        for call in CALLS
        if call.method == request["method"]
        and re.fullmatch(re.sub(r"\{\w+\}", r"\\d+", call.path), path)
    ]
    return set(fitting)


def test_the_table_is_what_pipedrive_is_asked_no_more_and_no_less(there, settings):
    with BareServer((http(204),)) as ours:
        target = WebhookTarget(f"{ours.url}/webhooks/pipedrive", "a password")
        everything(Pipedrive(TOKEN, there.url, settings.REDIS_URL, target), there, settings)
    own = Counter(there.own)

    def is_ours(each):
        key = each["method"], each["path"].partition("?")[0]
        own[key] -= 1
        return own[key] >= 0

    seen = [each for each in there.seen() if not is_ours(each)]
    named = [entries(each) for each in seen]

    assert [each for each, found in zip(seen, named, strict=True) if len(found) != 1] == []
    assert {call.purpose for call in CALLS} - {
        call.purpose for each in named for call in each
    } == set()
    # 404, 400: a record that is nowhere is asked for, to see what may be asked.
    assert {each["status"] for each in seen} <= {200, 201, 400, 403, 404}


def test_no_call_goes_past_the_table():
    past = [
        f"{path.name}:{node.lineno}: {name}()"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for name in [getattr(node.func, "attr", getattr(node.func, "id", None))]
        if name in REACHES and path.name != REACHES[name]
    ]

    assert not past, "\n".join(past)


def test_whatever_makes_something_must_not_be_repeated():
    assert {call for call in CALLS if not call.retry} == {
        call for call in CALLS if call.method == "POST"
    }


def test_every_entry_says_what_it_is_for_and_what_it_costs():
    assert all(call.purpose and call.path.startswith("/") and call.cost > 0 for call in CALLS)
    assert len({call.purpose for call in CALLS}) == len(CALLS)
