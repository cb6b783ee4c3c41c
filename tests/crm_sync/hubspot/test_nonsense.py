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
    "contacts_by_id": lambda crm: crm.contacts_by_id(["7"], ["email"]),
    "contacts_by_email": lambda crm: crm.contacts_by_email(["a@x.example"], []),
    "save_contacts": lambda crm: crm.save_contacts(
        [CrmContactWrite("a", "7", "", {}), CrmContactWrite("b", "", "a@x.example", {})]
    ),
    "create_tasks": lambda crm: crm.create_tasks(
        [CrmTaskWrite("t", "7", "1", "s", TaskText("b"), NOON)]
    ),
    "create_guarded_tasks": lambda crm: crm.create_tasks(
        [CrmTaskWrite(trace, "7", "1", "s", TaskText("b"), NOON, trace == "t") for trace in "tu"],
        guarded=True,
    ),
    "guards_tasks": lambda crm: crm.guards_tasks(),
    "tasks": lambda crm: crm.tasks(["7"]),
    "archived_tasks": lambda crm: crm.archived_tasks(["7"]),
    "list_tasks": lambda crm: crm.list_tasks("", "7"),
    "change_tasks": lambda crm: crm.change_tasks([CrmTaskChange("7", done=True)]),
    "hang_tasks": lambda crm: crm.associate_tasks({"7": "7"}),
    "archive_tasks": lambda crm: crm.archive_tasks(["7"]),
    "company_owners": lambda crm: crm.company_owners(["7"]),
    "audit": lambda crm: crm.audit([CrmProperty("x", "X", "number")], ["email"], NOON),
    "contacts_of_deals": lambda crm: crm.contacts_of_deals(["7"]),
    "tasks_of": lambda crm: crm.tasks_of(["7"]),
    "owners": lambda crm: crm.owners(),
    "stages": lambda crm: crm.stages(),
    "deals_of": lambda crm: crm.deals_of(["7"]),
    "lead_statuses": lambda crm: crm.lead_statuses(),
    "set_up": lambda crm: crm.set_up(
        [CrmProperty("lead_score", "Lead score", "number")], plan=True
    ),
}
WORDS = """results errors paging next after properties id from to toObjectId context message
    category objectWriteTraceId ids stages metadata probability isClosed displayOrder options value
    hidden portalId uiDomain name type email hs_merged_object_ids archived associations contacts
    associationTypes typeId hasUniqueValue lead_handoff_reference hs_task_status usageLimit
    currentUsage modificationMetadata timeZone"""
NAMES = WORDS.split()
LEAVES = st.none() | st.booleans() | st.integers(-1, 9) | st.floats() | st.sampled_from(["", "7"])
THINGS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=25,
)
LISTS = st.lists(st.dictionaries(st.sampled_from(NAMES), THINGS, max_size=6), max_size=3)
ANSWERS = st.fixed_dictionaries({"results": LISTS | THINGS, "errors": LISTS | THINGS}) | THINGS


@pytest.mark.parametrize("method", ASKED)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(answer=ANSWERS)
def test_nonsense_is_an_answer_or_an_error_of_the_port(hubspot, there, method, answer):
    there.sandbox.state.faults.clear()
    hubspot.account()  # an answer with rate headers: or each example would keep the slowest pace
    there.trouble("status", status=207, body=answer, times=None)

    with suppress(CrmError):
        ASKED[method](hubspot)
