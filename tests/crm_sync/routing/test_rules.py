"""The rules as rows: their order, and what can never be."""

import pytest
from django.db import IntegrityError, transaction

from crm_sync.initial_data import FIRST_RULES, make_first_rules
from crm_sync.models import Owner, RoutingRule, RulePlace
from tests.crm_sync.makers import a_rep

pytestmark = pytest.mark.django_db
Kind = RoutingRule.Kind


def names():
    return list(RoutingRule.objects.values_list("name", flat=True))


def a_rule(name, kind=Kind.TURN, **fields):
    return RoutingRule.objects.create(name=name, kind=kind, **fields)


def test_every_installation_begins_with_the_owner_and_then_everybody_in_turn():
    make_first_rules(None)

    assert [(rule.kind, rule.name) for rule in RoutingRule.objects.in_force()] == list(FIRST_RULES)


def test_a_new_rule_comes_last():
    a_rule("Large ones")

    assert names()[-1] == "Large ones"


def test_a_rule_changes_places_with_its_neighbour():
    large = a_rule("Large ones")

    assert large.move(up=True)
    assert names() == ["The contact's owner", "Large ones", "Whoever takes leads"]
    large.refresh_from_db()
    assert large.move(up=False)
    assert names()[-1] == "Large ones"


def test_the_first_goes_no_further_up_and_the_last_no_further_down():
    first, last = RoutingRule.objects.first(), RoutingRule.objects.last()

    assert (first.move(up=True), last.move(up=False)) == (False, False)


def test_a_rule_that_is_off_is_not_in_force():
    RoutingRule.objects.filter(kind=Kind.TURN).update(enabled=False)

    assert [rule.kind for rule in RoutingRule.objects.in_force()] == [Kind.CONTACT_OWNER]


@pytest.mark.parametrize(
    "never",
    [
        lambda: a_rule("A second", Kind.CONTACT_OWNER),
        lambda: a_rule("Nowhere", Kind.TERRITORY),
        lambda: a_rule("Some", condition="profile: {country: DE}"),
        lambda: a_rule(""),
        lambda: RulePlace.objects.create(rule=a_rule("Heavy"), owner=a_rep(), weight=101),
        lambda: a_rep(weight=0),
        lambda: a_rep(most_a_day=0),
        lambda: a_rep(away_from="2026-05-12", away_until="2026-05-11"),
        lambda: a_rep(opens="17:00", closes="09:00"),
        lambda: a_rep(working_days="51"),
        lambda: a_rep(working_days="8"),
        lambda: [a_rep(is_fallback=True), a_rep(is_fallback=True)],
    ],
)
def test_what_can_never_be_is_refused_by_the_database(never):
    with pytest.raises(IntegrityError), transaction.atomic():
        never()


def test_a_rep_works_nine_to_five_from_monday_to_friday_unless_told_otherwise():
    rep = Owner.objects.get(pk=a_rep().pk)

    assert (rep.opens.hour, rep.closes.hour, rep.working_days) == (9, 17, "12345")
