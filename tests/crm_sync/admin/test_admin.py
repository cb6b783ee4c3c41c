from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from crm_sync import receivers
from crm_sync.models import Handoff, Owner, PullReport
from leadscoring import crm_state
from leadscoring.models import CrmState
from tests.admin_pages import act, as_, as_one_who_may, as_superuser, page
from tests.crm_sync.makers import a_contact, a_handoff, a_rep

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def stuck(**fields: Any) -> Handoff:
    return a_handoff(status="needs_attention", reason="No rep takes leads.", attempts=4, **fields)


def delivered() -> Handoff:
    return a_handoff(status="delivered", record_id="9", owner_id="1", task_id=f"7{Handoff.objects.count()}",
                     task_tried_at=now(), delivered_at=now())  # fmt: skip


# --- handoffs


@pytest.mark.parametrize("group", ["Marketing", "Operations"])
def test_a_stuck_handoff_is_resent_at_once_and_the_worker_told(
    group: str, django_capture_on_commit_callbacks: object
) -> None:
    row = stuck()

    with django_capture_on_commit_callbacks() as told:  # type: ignore[operator]
        said = act(as_(group), "crm_sync.handoff", "resend", row.pk)

    row.refresh_from_db()
    assert (row.status, row.reason, row.attempts) == ("waiting", "", 0)
    assert row.due_at <= now()
    assert told == [receivers.wake_delivery]
    assert "1 on their way again." in said


def test_what_is_delivered_or_in_a_workers_hands_is_not_resent() -> None:
    done = delivered()
    held = a_handoff(
        claim="00000000-0000-0000-0000-000000000001", due_at=now() + 5 * MINUTE, attempts=1
    )

    said = act(as_("Operations"), "crm_sync.handoff", "resend", done.pk, held.pk)

    assert "0 on their way again; 2 already delivered or in a worker" in said
    assert Handoff.objects.get(pk=held.pk).claim


def test_a_handoff_is_withdrawn_with_a_reason_and_a_name() -> None:
    row, client = stuck(), as_("Marketing")

    asked = act(client, "crm_sync.handoff", "withdraw", row.pk)
    unexplained = act(client, "crm_sync.handoff", "withdraw", row.pk, confirmed="yes")
    still = Handoff.objects.get().status
    act(client, "crm_sync.handoff", "withdraw", row.pk, confirmed="yes", reason="A\ncompetitor")

    row.refresh_from_db()
    assert "These people are kept here and not sent to sales" in asked
    assert "Say why first" in unexplained
    assert still == "needs_attention"
    assert (row.status, row.reason) == ("withdrawn", "Kept here by Marketing: A competitor")


def test_a_handoff_whose_task_may_exist_is_not_withdrawn() -> None:
    row = a_handoff(task_tried_at=now(), record_id="9")

    said = act(
        as_("Marketing"), "crm_sync.handoff", "withdraw", row.pk, confirmed="yes", reason="Why not"
    )

    row.refresh_from_db()
    assert row.status == "waiting"
    assert "1 could not be taken back any more" in said


@pytest.mark.parametrize("action", ["resend", "withdraw"])
def test_nobody_without_permission_moves_a_handoff(action: str) -> None:
    row = stuck()

    for client in (as_(""), as_one_who_may("crm_sync.view_handoff")):
        act(client, "crm_sync.handoff", action, row.pk, confirmed="yes", reason="Because")

    row.refresh_from_db()
    assert row.status == "needs_attention"


@pytest.mark.parametrize(
    ("question", "found"),
    [("attention", {"stuck"}), ("late", {"late"}), ("no-owner", {"stuck", "late"}), ("waiting", {"late", "fresh"}),
     ("delivered", {"done"}), ("withdrawn", {"withdrawn"}), ("", {"stuck", "late", "fresh", "done", "withdrawn"})],
)  # fmt: skip
def test_handoffs_are_listed_by_what_is_asked(question: str, found: set[str]) -> None:
    at = now()
    rows = {
        "stuck": stuck(crossed_at=at),
        "late": a_handoff(crossed_at=at - 16 * MINUTE),
        "fresh": a_handoff(crossed_at=at - 14 * MINUTE, owner_id="1"),
        "done": delivered(),
        "withdrawn": a_handoff(status="withdrawn", reason="Already a customer."),
    }

    listed = (
        as_superuser().get(page("crm_sync.handoff"), {"ask": question}).context["cl"].result_list
    )

    assert {row.pk for row in listed} == {rows[name].pk for name in found}


@pytest.mark.parametrize(("typed", "found"), [("ada@lead.example", 1), ("ADA@lead.example ", 1), ("LS-A", 1), ("ls-a", 1),
                                              ("bob@lead.example", 0), ("%", 0)])  # fmt: skip
def test_a_handoff_is_found_by_address_or_reference(typed: str, found: int) -> None:
    a_handoff(contact=a_contact("ada@lead.example"), reference="LS-ABC")
    a_handoff(reference="LS-XYZ")

    listed = as_superuser().get(page("crm_sync.handoff"), {"q": typed}).context["cl"]

    assert listed.result_count == found


def test_a_handoffs_page_tells_how_far_it_came() -> None:
    contact = a_contact()
    a_rep("1", name="Kim Bauer")
    row = a_handoff(contact=contact, status="needs_attention", reason="The account lacks a scope.", record_id="905",
                    owner_id="1", owner_reason="was longest without a lead", left_out={"phone": "too long"})  # fmt: skip
    state = CrmState(
        contact=contact,
        seen_at=now(),
        since=now(),
        record_id="905",
        record_url="https://crm.example/905",
    )
    crm_state.store_states([state], now())

    told = as_("Operations").get(page("crm_sync.handoff", row.pk))

    steps = {step["name"]: step["done"] for step in told.context["steps"]}
    assert list(steps.values()) == [True, True, True, False, False]
    for words in ("The account lacks a scope.", "https://crm.example/905", "Kim Bauer: was longest without a lead",
                  "too long", "Visited pricing 3 times, last on 3 May", "Resend now"):  # fmt: skip
        assert words in told.content.decode()


def test_a_delivered_handoff_offers_no_verbs() -> None:
    told = as_("Operations").get(page("crm_sync.handoff", delivered().pk)).content.decode()

    assert "Resend" not in told


def test_the_sidebar_counts_what_needs_attention() -> None:
    stuck()
    stuck()

    context = as_superuser().get(page("leadscoring.company")).context
    items = {
        item["title"]: item for group in context["sidebar_navigation"] for item in group["items"]
    }

    assert str(items["Handoffs"]["badge_callback"]) == "2"


def test_the_sidebar_shows_the_number_and_no_mark_when_there_is_none() -> None:
    client = as_superuser()
    assert "ls-count" not in client.get(page("leadscoring.company")).content.decode()

    stuck()

    told = client.get(page("leadscoring.company")).content.decode()
    assert '<span class="ls-count">1</span>' in told


def test_the_sidebar_tells_nothing_to_whoever_may_not_see_it() -> None:
    stuck()

    context = as_("").get("/admin/").context
    items = [
        item
        for group in context["sidebar_navigation"]
        for item in group["items"]
        if item["has_permission"]
    ]

    assert [item["title"] for item in items] == ["Home"]


# --- reps, mapping, account


def test_of_a_rep_only_how_leads_are_given_is_changed() -> None:
    rep = a_rep("1", name="Kim Bauer", takes_leads=False)
    data = {
        "takes_leads": "on",
        "is_fallback": "on",
        "time_zone": "Europe/Berlin",
        "weight": "1",
        "working_days": ["1"],
        "opens": "09:00",
        "closes": "17:00",
        "name": "X",
        "active": "",
        "owner_id": "2",
    }

    as_("Operations").post(page("crm_sync.owner", rep.pk), data)

    rep.refresh_from_db()
    assert (rep.takes_leads, rep.is_fallback, rep.time_zone) == (True, True, "Europe/Berlin")
    assert (rep.name, rep.active, rep.owner_id) == ("Kim Bauer", True, "1")


@pytest.mark.parametrize(
    ("data", "words"),
    [({"time_zone": "Mars/Olympus"}, "Not a time zone"), ({"time_zone": "../etc/passwd"}, "Not a time zone"),
     ({"is_fallback": "on"}, "Somebody else is the fallback")],
)  # fmt: skip
def test_a_rep_that_cannot_be_is_refused_with_the_reason(data: dict[str, str], words: str) -> None:
    a_rep("1", is_fallback=True)
    rep = a_rep("2")

    told = as_("Operations").post(page("crm_sync.owner", rep.pk), data).content.decode()

    assert words in told


def test_the_accounts_page_tells_how_the_last_reading_went() -> None:
    from crm_sync.models import Account

    Account.objects.create(account_id="77", seen_at=now())
    PullReport.objects.create(started_at=now(), error="The token was revoked.")

    told = as_("Operations").get(page("crm_sync.account", 1)).content.decode()

    assert "The token was revoked." in told


def test_a_contacts_page_tells_who_would_get_them() -> None:
    a_rep("1", name="Kim Bauer")

    told = as_superuser().get(page("leadscoring.contact", a_contact().pk)).content.decode()

    assert "A new handoff would go to <bdi>Kim Bauer (Whoever takes leads: next in turn)" in told


def test_looking_at_a_contact_moves_no_rep_on() -> None:
    rep = a_rep("1")

    as_superuser().get(page("leadscoring.contact", a_contact().pk))

    assert Owner.objects.get(pk=rep.pk).last_lead_at is None
