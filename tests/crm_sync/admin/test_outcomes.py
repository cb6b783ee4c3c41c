"""The page "What became of leads": figures by model, rule and rep, and whom they are about."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm_sync.models import Handoff, Outcome, RejectingStatus
from crm_sync.outcomes import counts
from leadscoring.models import ModelVersion
from tests.admin_pages import HOSTILE, as_, as_one_who_may, page
from tests.crm_sync.makers import PRICING, TITLE, a_contact, a_handoff, a_rep

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def became(state, reason="", owner_id="rep", days=7, reasons=(PRICING, TITLE), **fields):
    number, at = Handoff.objects.count(), now() - days * DAY
    row = a_handoff(a_contact(**fields), status="delivered", record_id=str(number), owner_id=owner_id,
                    task_id=str(number), task_tried_at=at, delivered_at=at, crossed_at=at,
                    reasons=list(reasons))  # fmt: skip
    model = ModelVersion.objects.published().earliest("pk")
    return Outcome.objects.create(
        handoff=row, model=model, state=state, reason=reason, since=at, seen_at=at
    )


def a_month():
    return now() - 30 * DAY


def test_the_figures_say_what_became_of_how_many_and_why():
    for state, reason in [("deal", ""), ("won", ""), ("lost", "Price"), ("pending", ""),
                          ("refused", "TOO_SMALL"), ("refused", "TOO_SMALL"),
                          ("refused", "BAD_TIMING")]:  # fmt: skip
        became(state, reason)

    told = counts.count_overall(counts.count_by_model(a_month()))

    expected = "Of 7 handed off, 3 became deals, 3 were rejected: 2 too small, 1 bad timing."
    assert str(told) == expected
    assert (told.won, told.lost, told.pending) == (1, 1, 1)


def test_a_rule_is_counted_where_it_spoke():
    became("deal", reasons=[PRICING])
    became("refused", "TOO_SMALL", reasons=[PRICING, TITLE])
    became("refused", "TOO_SMALL", reasons=[TITLE, {**PRICING, "points": 0}])

    found = {tally.name: tally for tally in counts.count_by_rule(a_month())}

    pricing, title = found["Visited pricing"], found["Senior job title"]
    assert (pricing.handed_off, pricing.deals, pricing.refused) == (2, 1, 1)
    assert (title.handed_off, title.deals, title.refused) == (2, 0, 2)


def test_reps_are_named_the_busiest_first():
    a_rep("7", name="Grace")
    became("deal", owner_id="7")
    became("pending", owner_id="7")
    became("deal", owner_id="gone")

    found = [(tally.name, tally.handed_off) for tally in counts.count_by_rep(a_month())]

    assert found == [("Grace", 2), ("gone", 1)]


def test_only_the_period_that_was_chosen_counts():
    became("deal", days=7)
    became("deal", days=60)
    client = as_("Marketing")

    month, usual = (client.get(page("crm_sync.outcome") + query).content.decode()
                    for query in ("?period=30", "?period=nonsense"))  # fmt: skip

    assert "Of 1 handed off" in month
    assert "Of 2 handed off" in usual


def test_what_sales_wrote_is_escaped():
    became("lost", HOSTILE, first_name=HOSTILE)
    became("refused", HOSTILE, owner_id=HOSTILE[:64])

    shown = as_("Operations").get(page("crm_sync.outcome")).content.decode()

    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown


def test_leads_that_sales_was_never_told_of_are_not_shown():
    row = became("pending")
    Handoff.objects.filter(pk=row.pk).update(status="waiting")

    shown = as_("Marketing").get(page("crm_sync.outcome")).content.decode()

    assert "Of 0 handed off" in shown


def test_the_page_costs_the_same_with_many_leads(django_assert_max_num_queries):
    for number in range(30):
        became("refused", "TOO_SMALL", owner_id=f"rep{number}", company=f"Company {number}")
    client = as_("Marketing")

    with django_assert_max_num_queries(20):
        client.get(page("crm_sync.outcome"))


def test_marketing_says_which_statuses_refuse():
    client = as_("Marketing")
    first = set(RejectingStatus.objects.values_list("status", flat=True))

    client.post(page("crm_sync.rejectingstatus") + "add/", {"status": "TOO_SMALL"})

    assert first == {"UNQUALIFIED", "BAD_TIMING"}
    assert RejectingStatus.objects.filter(status="TOO_SMALL").exists()


def test_the_page_is_for_those_who_may_see_it():
    assert as_one_who_may("crm_sync.view_deal").get(page("crm_sync.outcome")).status_code == 403
