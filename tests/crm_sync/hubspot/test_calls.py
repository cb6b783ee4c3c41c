import ast
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.transport import calls
from crm_sync.hubspot.transport.calls import CALLS
from crm_sync.hubspot.transport.versions import CLASSIC, DATED
from crm_sync.port import CrmContactWrite, CrmProperty, CrmTaskChange, CrmTaskWrite, TaskText
from tests.loop.strict import Strict
from tests.port.hubspot_side import TOKEN, HubSpotSide

HERE = Path(calls.__file__).parent
# What reaches the network -> the only module that may call it.
REACHES = {"Call": "calls.py", "call_api": "client.py", "urlopen": "", "api_request": ""}
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
    crm.create_tasks(
        [CrmTaskWrite("t", merged, there.active_owner, "Hot", TaskText("ref LS-1"), NOON)]
    )
    (task,) = crm.tasks_of([merged])[merged]
    crm.create_tasks(
        [
            CrmTaskWrite("u", merged, there.active_owner, "Hot", TaskText("ref LS-2"), NOON),
            CrmTaskWrite(
                "v", merged, there.active_owner, "Hot", TaskText("ref LS-3"), NOON, again=True
            ),
        ],
        guarded=crm.guards_tasks(),
    )
    crm.archived_contacts([merged])
    crm.opt_out(["a@x.example"])
    there.associate(task.task_id, [there.add_contact(f"p{n}@x.example") for n in range(101)])
    assert len(crm.list_tasks("ref LS-").tasks) == 3
    crm.change_tasks([CrmTaskChange(task.task_id, subject="Hotter")])
    crm.archive_tasks([task.task_id])
    there.employ(merged, there.active_owner)
    crm.company_owners([merged])
    crm.audit([], [], NOON)
    crm.contacts_of_deals([there.add_deal("Deal", there.open_stage, merged)])
    crm.deals_of([merged])
    for kind in ("contacts", "deals"):
        list(crm.changes(kind, NOON))


def kept(request):
    return request["method"], request["path"].partition("?")[0]


def entries(request, version):
    """The table's entries that a request in a version may be."""
    path = request["path"].partition("?")[0]
    return {
        call
        for call in CALLS
        if call.method == request["method"]
        and re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", call.in_version(version).path), path)
    }


@pytest.mark.parametrize("version", [CLASSIC, *DATED])
def test_the_table_is_what_hubspot_is_asked_no_more_and_no_less(version, there, sandbox, settings):
    everything(HubSpot(TOKEN, sandbox.url, settings.REDIS_URL, version=version), there)
    own = Counter(there.own)

    seen = [each for each in there.seen() if not own[kept(each)] or own.subtract([kept(each)])]
    named = [entries(each, version) for each in seen]

    # Guarded tasks are made by the same call as others.
    twice = {calls.CREATE_TASKS, calls.CREATE_GUARDED_TASKS}
    assert [each for each in named if len(each) != 1 and each != twice] == []
    assert set(CALLS) == set().union(*named)


def test_no_request_is_one_too_many_or_not_as_described(hubspot, there):
    everything(hubspot, there)

    # 404: an id that is nowhere is asked for alone, to see whether it was merged.
    assert {each["status"] for each in there.seen()} <= {200, 201, 204, 207, 404}


def test_no_request_is_against_the_published_descriptions(sandbox, settings):
    with Strict(sandbox.url) as strict:
        everything(HubSpot(TOKEN, strict.url, settings.REDIS_URL), HubSpotSide(sandbox))

    assert strict.violations == []
    assert len(strict.answers) > len(CALLS)


def test_no_call_goes_past_the_table():
    past = [
        f"{path.name}:{node.lineno}: {name}()"
        for path in sorted(HERE.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for name in [getattr(node.func, "attr", getattr(node.func, "id", None))]
        if name in REACHES and path.name != REACHES[name]
    ]

    assert not past, "\n".join(past)


def test_only_the_creation_of_tasks_must_not_be_repeated():
    assert [call for call in CALLS if not call.retry] == [calls.CREATE_TASKS]


def test_every_entry_says_what_it_is_for():
    assert all(call.purpose and call.path.startswith("/") for call in CALLS)
    assert len({call.purpose for call in CALLS}) == len(CALLS)
