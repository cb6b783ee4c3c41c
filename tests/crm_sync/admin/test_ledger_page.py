"""What stands above the list of handoffs, and what a handoff's own page says of its task."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from crm_sync.admin.ledger_figures import backlog_sentence, request_budget
from crm_sync.circuit_breaker import record_failure
from crm_sync.connect import connect
from crm_sync.ledger_stats import BacklogStats
from crm_sync.models import Breaker, Handoff
from crm_sync.models.reports import Report, store_report
from crm_sync.port import CrmDenied
from leadscoring.models import Contact
from tests.admin_pages import HOSTILE, act, as_, as_superuser, page
from tests.crm_sync.makers import a_contact, a_delivered, a_handoff, a_rep, numbers

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def delivered(contact: Contact | None = None, **task: Any) -> Handoff:
    """Crossed two hours ago, with the rep two seconds later, untouched since."""
    seen: dict[str, Any] = {"seen_at": now(), "text_subject": "Hot lead: Ada (score 82, A1)"}
    return a_delivered(now() - 2 * HOUR, contact=contact, **(seen | task))


def ledger(group: str = "Operations") -> str:
    return " ".join(as_(group).get(page("crm_sync.handoff")).content.decode().split())


@pytest.mark.parametrize("group", ["Marketing", "Operations"])
def test_above_the_list_stands_what_waits_why_and_how_long(group: str) -> None:
    a_rep("1", name="Kim Bauer")
    a_handoff(crossed_at=now() - 5 * MINUTE, reason="The CRM is busy.")
    a_handoff(status="needs_attention", reason="No rep takes leads.", crossed_at=now())
    delivered(touched_at=now() - HOUR)

    told = ledger(group)

    for words in ("1</b> waiting", "1 needs attention", "The CRM is busy.", "No rep takes leads.", "1 to 15 min",
                  "unknown: nothing has moved", "2.0 s", "Kim Bauer", "0 untouched, 1 begun"):  # fmt: skip
        assert words in told


def test_the_slowest_are_named_with_a_link() -> None:
    late = delivered(contact=a_contact(first_name="Ada", last_name="Byron"), due_at=now() - HOUR)

    told = ledger()

    assert f'href="{page("crm_sync.handoff", late.pk)}"' in told
    assert "1 overdue" in told
    assert "untouched</span>" in told


def test_what_holds_everything_back_is_said_once_with_its_cause() -> None:
    record_failure(
        connect(), Breaker.Work.HANDOFFS, CrmDenied("The token was revoked."), now() - HOUR
    )

    a_handoff()

    told = ledger()

    assert told.count("The token was revoked.") == 1
    assert "Handoffs held back" in told
    assert "It goes on by itself once the cause is gone." in told
    assert told.count("Held back: “The CRM” says why.") == 2
    assert "nothing has gone wrong" not in told


def test_the_last_comparison_with_the_crm_is_shown() -> None:
    assert "Not compared with the CRM yet." in ledger("Operations")

    store_report(Report.Kind.COMPARISON, now() - HOUR, {}, wrong=2, repaired=5)

    assert "1 h ago</time>: <bdi>5 repaired, 2 to be mended" in ledger("Marketing")


def test_nothing_that_people_typed_is_markup_there() -> None:
    a_rep("1", name=HOSTILE)
    contact = a_contact(first_name=HOSTILE, company=HOSTILE)
    delivered(contact=contact, text_subject=HOSTILE, due_at=now() - HOUR)
    row = a_handoff(reason=HOSTILE)

    assert "<script>alert(1)" not in ledger()
    assert (
        "<script>alert(1)"
        not in as_superuser().get(page("crm_sync.handoff", row.pk)).content.decode()
    )


def test_the_page_costs_the_same_however_many_leads() -> None:
    client = as_("Operations")

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(page("crm_sync.handoff"))
        return len(asked)

    delivered()
    a_handoff()
    cost()  # the first page of all also records which database this is
    few = cost()
    for _ in range(10):
        delivered()
        a_handoff(reason=f"Cause {next(numbers)}")

    assert cost() == few


@pytest.mark.parametrize(
    ("waiting", "per_minute", "words"),
    [
        (0, 0.0, "Nothing waits."),
        (7, 0.0, "How long it takes is unknown: nothing has moved in the last minutes."),
        (600, 200.0, "Gone in about 3 min, at 200 a minute."),
        (6000, 25.0, "Gone in about 4 h, at 25 a minute."),
    ],
)
def test_what_becomes_of_the_backlog_is_a_sentence(
    waiting: int, per_minute: float, words: str
) -> None:
    assert backlog_sentence(BacklogStats(waiting, 0, now(), per_minute)) == words


def test_without_a_crm_no_budget_is_shown() -> None:
    assert request_budget() == []


# --- a handoff's own page


def test_a_handoffs_page_says_what_became_of_its_task() -> None:
    row = delivered(state="done", touched_at=now() - HOUR, due_at=now() - HOUR, text_total=95)

    told = as_("Marketing").get(page("crm_sync.handoff", row.pk)).content.decode()

    for words in ("Done", "Hot lead: Ada (score 82, A1)", "59 min after the task was made"):
        assert words in told


def test_an_untouched_task_past_its_time_stands_out() -> None:
    row = delivered(due_at=now() - HOUR)

    told = as_("Marketing").get(page("crm_sync.handoff", row.pk)).content.decode()

    assert 'class="ls-error"' in told
    assert "none that we know of" in told


def test_before_there_is_a_task_nothing_is_said_of_it() -> None:
    told = as_("Marketing").get(page("crm_sync.handoff", a_handoff().pk)).content.decode()

    assert 'id="task"' not in told


# --- verbs for many


def test_a_whole_selection_is_resent_with_numbers() -> None:
    rows = [a_handoff(status="needs_attention", reason="No rep takes leads.") for _ in range(3)]

    said = act(
        as_("Operations"), "crm_sync.handoff", "resend", rows[0].pk, delivered().pk, select_across="1"
    )  # fmt: skip

    assert "3 on their way again; 1 already delivered" in said
    assert Handoff.objects.waiting().count() == 3
