import ast
import re
from collections import Counter
from pathlib import Path

from crm_sync.port import CrmProperty, CrmTaskChange
from crm_sync.salesforce.transport import calls
from crm_sync.salesforce.transport.calls import CALLS
from tests.crm_sync.salesforce.writes import NOON, a_task, by_email, by_id

HERE = Path(calls.__file__).parent.parent
VERSION = "67.0"


def everything(crm, there):
    """Use every method so that every kind of request is made."""
    crm.account()
    crm.set_up([CrmProperty("lead_score", "Lead score", "number")], plan=False)
    crm.owners()
    crm.stages()
    crm.lead_statuses()
    (saved,) = crm.save_contacts([by_email("a@x.example")]).values()
    lead = saved.record_id
    crm.save_contacts([by_id(lead, Title="CTO")])
    person = there.convert(lead)
    crm.contacts_by_id([lead, person], [])
    crm.archived_contacts([person])
    crm.create_tasks([a_task(person, there.active_owner)])
    (task,) = crm.tasks_of([person])[person]
    crm.create_tasks([a_task(person, there.active_owner, "LS-2")], guarded=True)
    there.sandbox.settings.most_rows = 1
    assert len(crm.list_tasks("ref LS-").tasks) == 2
    there.sandbox.settings.most_rows = 2_000
    crm.change_tasks([CrmTaskChange(task.task_id, subject="Hotter", done=True)])
    crm.archived_tasks([task.task_id])
    crm.archive_tasks([task.task_id])
    crm.audit([], [], NOON)
    crm.contacts_of_deals([there.add_deal("Deal", there.open_stage, person)])
    crm.deals_of([person])
    for kind in ("contacts", "deals"):
        list(crm.changes(kind, NOON))


def entries(request):
    """The table's entries that a request may be."""
    path = request["path"].partition("?")[0]
    return {
        call
        for call in CALLS
        if call.method == request["method"]
        and re.fullmatch(
            re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(call.path.replace("{version}", VERSION))),
            path,
        )
    }


def test_the_table_is_what_salesforce_is_asked_no_more_and_no_less(bare_org, there):
    everything(bare_org, there)
    own = Counter(there.own)

    def kept(request):
        return request["method"], request["path"].partition("?")[0]

    seen = [each for each in there.seen() if not own[kept(each)] or own.subtract([kept(each)])]
    named = [entries(each) for each in seen]

    assert [each["path"] for each, found in zip(seen, named, strict=True) if not found] == []
    assert set(CALLS) == set().union(*named)


def test_no_request_is_refused(bare_org, there):
    everything(bare_org, there)

    assert {each["status"] for each in there.seen()} <= {200, 201, 204}


def test_nothing_but_the_client_and_the_session_reach_the_network():
    reaching = {
        path.name
        for path in sorted(HERE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "request"
    }

    assert reaching == {"client.py", "session.py"}


def test_only_the_creation_of_tasks_must_not_be_repeated():
    assert [call for call in CALLS if not call.retry] == [calls.CREATE_TASKS]


def test_every_entry_says_what_it_is_for():
    assert len({call.purpose for call in CALLS}) == len(CALLS)


def test_fresh_leads_take_few_calls(salesforce, there):
    """A hundred, from address to task."""
    emails = [f"p{number}@x.example" for number in range(100)]
    salesforce.account()
    known = [there.add_contact("known@x.example")]
    salesforce.deals_of(known)  # what objects are made of is asked once an hour
    salesforce.company_owners(known)
    before = there.requests()

    salesforce.contacts_by_email(emails, ["Lead_Score__c"])
    saved = salesforce.save_contacts([by_email(email, Lead_Score__c="82") for email in emails])
    ids = [each.record_id for each in saved.values()]
    salesforce.deals_of(ids)
    salesforce.company_owners(ids)
    made = salesforce.create_tasks(
        [a_task(id_, there.active_owner, f"LS-{id_}") for id_ in ids], guarded=True
    )

    assert len({task.task_id for task in made.values()}) == 100
    assert there.requests() - before <= 8


def test_a_quiet_poll_is_one_call_for_each_kind(salesforce, there):
    def poll():
        return [list(salesforce.changes(kind, there.now)) for kind in ("contacts", "deals")]

    poll()
    there.later()
    before = there.requests()

    found = poll()

    assert not any(part for parts in found for part in parts)
    assert there.requests() - before == 2
