"""Whatever JSON comes with a 2xx: an answer or one of the port's errors, never a crash."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_sync.port import (
    CrmContactWrite,
    CrmError,
    CrmProperty,
    CrmTaskChange,
    CrmTaskWrite,
    TaskText,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ASKED = {
    "account": lambda crm: crm.account(),
    "contacts_by_id": lambda crm: crm.contacts_by_id(["7"], ["email", "phone", "name"]),
    "contacts_by_email": lambda crm: crm.contacts_by_email(["a@x.example"], []),
    "save_contacts": lambda crm: crm.save_contacts(
        [
            CrmContactWrite("a", "7", "", {"first_name": "A", "email": "b@x.example"}),
            CrmContactWrite("b", "", "a@x.example", {}),
        ]
    ),
    "opt_out": lambda crm: crm.opt_out(["a@x.example"]),
    "archived_contacts": lambda crm: crm.archived_contacts(["7"]),
    "create_tasks": lambda crm: crm.create_tasks(
        [CrmTaskWrite("t", "7", "1", "s", TaskText("b"), NOON)]
    ),
    "tasks": lambda crm: crm.tasks(["7"]),
    "archived_tasks": lambda crm: crm.archived_tasks(["7"]),
    "list_tasks": lambda crm: crm.list_tasks("", "- x 7"),
    "change_tasks": lambda crm: crm.change_tasks([CrmTaskChange("7", done=True)]),
    "associate_tasks": lambda crm: crm.associate_tasks({"7": "7"}),
    "archive_tasks": lambda crm: crm.archive_tasks(["7"]),
    "company_owners": lambda crm: crm.company_owners(["7"]),
    "audit": lambda crm: crm.audit([CrmProperty("x", "X", "number")], ["email"], NOON),
    "contacts_of_deals": lambda crm: crm.contacts_of_deals(["7"]),
    "tasks_of": lambda crm: crm.tasks_of(["7"]),
    "owners": lambda crm: crm.owners(),
    "stages": lambda crm: crm.stages(),
    "deals_of": lambda crm: crm.deals_of(["7"]),
    "changes": lambda crm: list(crm.changes("contacts", NOON)),
    "newest_change": lambda crm: crm.newest_change("deals"),
    "lead_statuses": lambda crm: crm.lead_statuses(),
    "properties": lambda crm: crm.properties(),
    "set_up": lambda crm: crm.set_up([CrmProperty("x", "X", "number")], plan=True),
}
WORDS = """id name first_name last_name emails phones value primary label owner_id org_id add_time
    update_time is_deleted custom_fields items item participants person_id next_cursor pagination
    next_start more_items_in_collection field_code field_name field_type options is_custom_field
    open_deals_count participant_open_deals_count participants_count status stage_id pipeline_id
    order_nr deal_probability company_id company_domain access app admin key_string active_flag note
    subject done marked_as_done_time event_object subscription_url title"""
NAMES = WORDS.split()
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 9)
    | st.floats()
    | st.sampled_from(["", "7", "a@x.example", "enum", "won", "2026-05-04T12:00:00Z"])
)
THINGS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=25,
)
RECORDS = st.dictionaries(st.sampled_from(NAMES), THINGS, max_size=8)
ANSWERS = st.fixed_dictionaries(
    {
        "success": st.just(True),
        "data": st.lists(RECORDS, max_size=3) | RECORDS | THINGS,
        "additional_data": THINGS | st.fixed_dictionaries({"next_cursor": LEAVES}),
    }
)


@pytest.mark.parametrize("method", ASKED)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(answer=ANSWERS)
def test_nonsense_is_an_answer_or_an_error_of_the_port(pipedrive, there, method, answer):
    with there.sandbox.state.lock:
        there.sandbox.state.faults.clear()
    pipedrive._reader.memory.forget()
    there.trouble("status", status=200, body=answer, times=None)

    with suppress(CrmError):
        ASKED[method](pipedrive)
