"""How records end: deleted, restored, erased, merged, converted."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.salesforce.org.store import Record
from sandbox.salesforce.writing import recycle_bin
from tests.sandbox.salesforce.conftest import SOBJECTS, Org, codes, refusal, typed


def record(org: Org, id_: str) -> Record:
    found = org.sandbox.store.find(id_)
    assert found
    return found


def now(org: Org) -> datetime:
    return org.sandbox.state.clock(datetime.now(UTC))


def convert(org: Org, lead: str, deal: str = "") -> str:
    return recycle_bin.convert(
        org.sandbox.store, record(org, lead), now(org), org.people.administrator, deal=deal
    ).id


def test_tasks_go_into_the_bin_with_their_person_and_come_back(org: Org) -> None:
    ada = org.lead("Ada")
    task, earlier = org.task(ada), org.task(ada)
    org.ask("DELETE", f"{SOBJECTS}/Task/{earlier}")
    org.ask("DELETE", f"{SOBJECTS}/Lead/{ada}")
    gone = org.query("SELECT Id FROM Task")

    recycle_bin.undelete(org.sandbox.store, record(org, ada), now(org))

    assert (gone, [each["Id"] for each in org.query("SELECT Id FROM Task")]) == ([], [task])


def test_who_is_erased_leaves_no_trace(org: Org) -> None:
    ada = org.lead("Ada")
    org.task(ada)

    recycle_bin.erase(org.sandbox.store, record(org, ada))

    assert (
        org.query("SELECT Id FROM Lead", "queryAll")
        == org.query("SELECT Id FROM Task", "queryAll")
        == []
    )


@pytest.mark.parametrize("kind", ["Lead", "Contact"])
def test_a_merged_record_names_the_one_that_is_left(org: Org, kind: str) -> None:
    kept, gone = (getattr(org, kind.lower())(name) for name in ("Ada", "Bo"))
    task = org.task(gone)
    recycle_bin.merge(
        org.sandbox.store, record(org, kept), record(org, gone), now(org), org.people.administrator
    )

    rows = org.query(f"SELECT Id, MasterRecordId FROM {kind} WHERE IsDeleted = TRUE", "queryAll")

    assert [(each["Id"], each["MasterRecordId"]) for each in rows] == [(gone, kept)]
    assert org.query(f"SELECT WhoId FROM Task WHERE Id = '{task}'")[0]["WhoId"] == kept
    assert codes(org.rows("PATCH", typed(kind, id=gone, Title="x"))) == ["ENTITY_IS_DELETED"]


def test_a_converted_lead_names_its_contact_and_can_be_changed_no_more(org: Org) -> None:
    lead = org.lead("Ada", OwnerId=org.people.kim)
    task = org.task(lead)
    contact = convert(org, lead, "Big deal")

    (row,) = org.query(
        "SELECT IsConverted, ConvertedContactId, ConvertedOpportunityId, Status FROM Lead"
    )
    roles = org.query("SELECT ContactId, IsPrimary, Opportunity.Name FROM OpportunityContactRole")

    assert (row["IsConverted"], row["ConvertedContactId"], row["Status"]) == (
        True,
        contact,
        "Closed - Converted",
    )
    assert [
        (each["ContactId"], each["IsPrimary"], each["Opportunity"]["Name"]) for each in roles
    ] == [(contact, True, "Big deal")]
    assert org.query(f"SELECT WhoId FROM Task WHERE Id = '{task}'")[0]["WhoId"] == contact
    rows = (
        org.rows("PATCH", typed("Lead", id=lead, City="x")),
        org.rows("POST", typed("Task", WhoId=lead)),
    )
    assert [codes(each) for each in rows] == [["CANNOT_UPDATE_CONVERTED_LEAD"]] * 2


def test_a_contact_role_may_move_its_deal_or_not(org: Org) -> None:
    contact = convert(org, org.lead("Ada"), "Deal")
    (deal,) = (each["Id"] for each in org.query("SELECT Id FROM Opportunity"))
    before = org.stamp(deal)
    administrator = org.sandbox.session_of(org.people.administrator)
    for moves in (False, True):
        org.sandbox.settings.roles_touch_deals = moves
        org.later()
        role = {"OpportunityId": deal, "ContactId": contact}
        org.post(
            f"{SOBJECTS}/OpportunityContactRole", role, Authorization=f"Bearer {administrator}"
        )

        assert (org.stamp(deal) > before) == moves


def test_the_integration_user_reads_deals_and_writes_none(org: Org) -> None:
    answer = org.post(
        f"{SOBJECTS}/Opportunity",
        {"Name": "x", "StageName": "Closed Won", "CloseDate": "2026-12-01"},
    )

    assert refusal(answer) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")


def test_changes_and_deletions_of_a_window_are_told(org: Org) -> None:
    ada, bo = org.lead("Ada"), org.lead("Bo")
    org.ask("DELETE", f"{SOBJECTS}/Lead/{bo}")
    at = datetime.now(UTC)

    def window(name: str, back: timedelta) -> str:
        start, end = (
            f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (at - back, at + timedelta(minutes=2))
        )
        return f"{SOBJECTS}/Lead/{name}?start={start}&end={end}"

    minutes = timedelta(minutes=5)
    updated, deleted = (
        org.get(window("updated", minutes)).json(),
        org.get(window("deleted", minutes)).json(),
    )

    assert (updated["ids"], [each["id"] for each in deleted["deletedRecords"]]) == ([ada], [bo])
    assert refusal(org.get(window("updated", timedelta(days=31)))) == (
        400,
        "INVALID_REPLICATION_DATE",
    )
    assert refusal(org.get(window("deleted", timedelta(days=16)))) == (
        400,
        "INVALID_REPLICATION_DATE",
    )
