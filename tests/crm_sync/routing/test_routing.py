"""Who gets a lead, and what is said of it. No database: the decision is pure."""

from datetime import timedelta

import pytest

from crm_sync.models import RoutingRule, RulePlace
from crm_sync.routing.choose import LONGEST, Lead, RoutingTable
from tests.crm_sync.makers import MONDAY, an_unsaved_rep

Kind = RoutingRule.Kind
GERMAN = Lead(facts={"country": "DE"})


def rep(owner_id, **fields):
    return an_unsaved_rep(owner_id, **fields)


def rule(kind, name="", condition="", reps=()):
    """`reps`: owners, or owners with a weight of this rule's own."""
    made = RoutingRule(kind=kind, name=name or kind, condition=condition)
    pairs = [one if isinstance(one, tuple) else (one, None) for one in reps]
    made.named = [RulePlace(pk=owner.pk, owner=owner, weight=weight) for owner, weight in pairs]
    return made


def the_first_rules():
    return [rule(Kind.CONTACT_OWNER), rule(Kind.TURN, "Whoever takes leads")]


def dach(*reps):
    return rule(Kind.TERRITORY, "DACH", "profile: {country__in: [DE, AT, CH]}", reps)


def routing(*reps, rules=None):
    return RoutingTable(rules or the_first_rules(), reps, "UTC")


def choose(routes, lead=None, at=MONDAY):
    """Choose and give, as the step of a handoff does."""
    choice = routes.choose(lead or Lead(), at)
    routes.give(choice, at)
    return choice.owner and choice.owner.owner_id, choice.reason


def takers(routes, leads, lead=None):
    return "".join(choose(routes, lead)[0] for _ in range(leads))


# --- owners


def test_the_contacts_owner_comes_first():
    routes = routing(rep("kim"), rep("ana", takes_leads=False))

    assert choose(routes, Lead(owner_id="ana")) == ("ana", "owns the contact in the CRM")


def test_an_owner_who_has_left_is_passed_over_and_named():
    routes = routing(rep("kim"), rep("ana", name="Ana", active=False))

    assert choose(routes, Lead(owner_id="ana")) == (
        "kim",
        "Ana owns the contact but is no longer active in the CRM; Whoever takes leads: next in turn",
    )


def test_an_owner_who_is_away_is_passed_over_and_named():
    until = MONDAY.date() + timedelta(days=8)
    routes = routing(rep("ann"), rep("kim", name="Kim", away_until=until), rules=[rule(Kind.CONTACT_OWNER), dach()])  # fmt: skip
    lead = Lead(owner_id="kim", facts={"country": "AT"})

    assert choose(routes, lead) == (
        "ann",
        "Kim owns the contact but is away until 12 May; territory DACH: next in turn",
    )


def test_an_owner_at_their_bound_is_passed_over_and_named():
    full = rep("kim", name="Kim", most_a_day=1, takes_leads=False)
    routes = routing(full, rep("ann"))
    choose(routes, Lead(owner_id="kim"))

    assert choose(routes, Lead(owner_id="kim")) == (
        "ann",
        "Kim owns the contact but has had 1 lead today, the most a day; "
        "Whoever takes leads: next in turn",
    )


def test_an_owner_whom_nobody_here_knows_is_passed_over():
    assert choose(routing(rep("ann")), Lead(owner_id="9"))[1].startswith("somebody unknown here owns the contact; ")  # fmt: skip


def test_the_owner_of_the_company_gets_what_nobody_owns():
    rules = [rule(Kind.CONTACT_OWNER), rule(Kind.COMPANY_OWNER), rule(Kind.TURN)]
    routes = routing(rep("ann"), rep("kim"), rules=rules)

    assert choose(routes, Lead(company_owner_id="kim")) == (
        "kim",
        "owns the contact's company in the CRM",
    )


def test_it_is_said_when_the_owner_of_the_company_is_not_known():
    routes = routing(rep("ann"), rules=[rule(Kind.COMPANY_OWNER), rule(Kind.TURN, "All")])

    assert choose(routes, Lead(untold="the CRM did not say")) == (
        "ann",
        "the CRM did not say; All: next in turn",
    )


def test_without_a_rule_for_owners_it_does_not_matter_whose_contact_it_is():
    routes = routing(rep("ann"), rep("kim"), rules=[rule(Kind.TURN)])

    assert choose(routes, Lead(owner_id="kim"))[0] == "ann"


# --- territories and turns


def test_a_territory_is_for_the_leads_that_its_condition_says():
    routes = routing(ann := rep("ann"), rep("kim"), rules=[dach(ann), rule(Kind.TURN, "Others")])

    assert choose(routes, GERMAN) == ("ann", "territory DACH: next in turn")
    assert choose(routes, Lead(facts={"country": "FR"})) == ("kim", "Others: next in turn")


def test_a_territory_may_ask_for_any_fact_of_the_profile():
    large = rule(Kind.TERRITORY, "Large", "profile: {employees__gte: 1000, source: webinar}")
    routes = routing(rep("ann"), rules=[large])

    assert choose(routes, Lead(facts={"employees": "1200", "source": "webinar"}))[0] == "ann"
    assert choose(routes, Lead(facts={"employees": 1200}))[0] is None


def test_a_territory_whose_condition_cannot_be_read_is_passed_over_and_named():
    broken = rule(Kind.TERRITORY, "DACH", "profile: {country__among: [DE]}")
    routes = routing(rep("ann"), rules=[broken, rule(Kind.TURN, "All")])

    owner_id, reason = choose(routes, GERMAN)

    assert owner_id == "ann"
    assert "territory DACH says in line 1: unknown look-up 'among'" in reason


def test_reps_are_named_for_a_rule_also_when_they_are_not_in_the_common_turn():
    routes = routing(ann := rep("ann", takes_leads=False), rep("kim"), rules=[dach(ann)])

    assert takers(routes, 2, GERMAN) == "annann"


def test_a_rule_without_reps_is_for_everybody_who_takes_leads():
    routes = routing(rep("a"), rep("b", takes_leads=False), rep("c"), rules=[dach()])

    assert takers(routes, 4, GERMAN) == "acac"


def test_leads_go_by_weight():
    assert takers(routing(rep("a", weight=3), rep("b")), 8) == "aabaaaba"


def test_a_rule_may_weigh_its_reps_differently():
    a, b = rep("a", weight=3), rep("b")
    routes = routing(a, b, rules=[rule(Kind.TURN, reps=[(a, 1), (b, 2)])])

    assert takers(routes, 6) == "babbab"


def test_the_turn_goes_round_within_one_batch():
    routes = routing(rep("a"), rep("b"), rep("c", last_lead_at=MONDAY))

    assert takers(routes, 7) == "abcabca"


def test_two_rules_with_reps_have_turns_of_their_own():
    a, b = rep("a", takes_leads=False), rep("b", takes_leads=False)
    routes = routing(a, b, rules=[dach(a, b), rule(Kind.TURN, reps=[a, b])])

    assert (takers(routes, 1, GERMAN), takers(routes, 2), takers(routes, 1, GERMAN)) == ("a", "ba", "b")  # fmt: skip


def test_a_lead_that_came_another_way_counts_in_the_common_turn():
    routes = routing(rep("a", weight=2), rep("b"))
    choose(routes, Lead(owner_id="a"))

    assert takers(routes, 3) == "baa"  # and not aba, as without that lead


def test_but_only_once_a_round():
    """Else a rep who owns many contacts would never be next."""
    routes = routing(rep("a"), rep("b"))
    for _ in range(50):
        choose(routes, Lead(owner_id="a"))

    assert takers(routes, 3) == "bab"


def test_whoever_is_away_is_not_next():
    routes = routing(rep("a", away_from=MONDAY.date()), rep("b"))

    assert takers(routes, 3) == "bbb"


def test_the_rest_of_the_day_goes_to_those_who_are_below_their_bound():
    routes = routing(rep("a", most_a_day=1), rep("b", most_a_day=2), rep("boss", is_fallback=True, takes_leads=False))  # fmt: skip

    assert takers(routes, 4) == "abbboss"


def test_tomorrow_is_another_day():
    routes = routing(rep("a", most_a_day=1))
    choose(routes)

    assert choose(routes)[0] is None
    assert choose(routes, at=MONDAY + timedelta(days=1))[0] == "a"


def test_a_day_is_that_of_the_reps_time_zone():
    """Monday, 10:00 UTC is Monday, 22:00 in Auckland."""
    routes = routing(rep("a", most_a_day=1, time_zone="Pacific/Auckland"))
    choose(routes)

    assert choose(routes, at=MONDAY + timedelta(minutes=119))[0] is None
    assert choose(routes, at=MONDAY + timedelta(minutes=120))[0] == "a"


# --- nobody else


def test_the_fallback_gets_what_nobody_else_takes():
    routes = routing(rep("a", takes_leads=False), rep("boss", takes_leads=False, is_fallback=True))

    assert choose(routes) == (
        "boss",
        "Whoever takes leads: nobody takes leads; is the fallback: no rule finds anybody else",
    )


def test_whoever_has_left_is_not_even_told_of_among_those_who_take_leads():
    assert choose(routing(rep("a", active=False))) == (
        None,
        "Whoever takes leads: nobody takes leads; nobody is the fallback",
    )


def test_the_fallback_has_no_bound():
    routes = routing(rep("boss", takes_leads=False, is_fallback=True, most_a_day=1))

    assert takers(routes, 3) == "bossbossboss"


def test_a_fallback_who_is_away_gets_nothing():
    routes = routing(rep("boss", name="Bo", is_fallback=True, away_from=MONDAY.date()))

    assert choose(routes) == (
        None,
        "Whoever takes leads: Bo is away; Bo is the fallback but is away",
    )


def test_nobody_is_an_answer_that_says_why():
    routes = routing(*[rep(f"r{n}", name=f"R{n}", away_from=MONDAY.date()) for n in range(1, 5)])

    assert choose(routes) == (
        None,
        "Whoever takes leads: R1 is away, R2 is away, 2 more cannot either; nobody is the fallback",
    )


def test_without_rules_the_fallback_takes_all():
    routes = RoutingTable([], [rep("a"), rep("boss", is_fallback=True)], "UTC")

    assert choose(routes) == ("boss", "is the fallback: no rule finds anybody else")


@pytest.mark.parametrize("length", [10, 100, 200])
def test_a_reason_fits_into_its_column_and_ends_with_what_decided(length):
    many = [rule(Kind.TERRITORY, f"{n}" * 60, "profile: {country: DE}", [rep(f"x{n}", name="N" * length, active=False)])
            for n in range(9)]  # fmt: skip
    owners = [one.named[0].owner for one in many]
    routes = routing(*owners, rep("a"), rules=[*many, rule(Kind.TURN, "All")])

    owner_id, reason = choose(routes, GERMAN)

    assert owner_id == "a"
    assert reason.endswith("; All: next in turn")
    assert len(reason) <= LONGEST


# --- an earlier attempt


def test_whoever_was_given_the_lead_keeps_it_also_at_their_bound():
    routes = routing(rep("a", most_a_day=1))
    choose(routes)

    assert routes.keeps("a", MONDAY)


@pytest.mark.parametrize("gone", [{"active": False}, {"away_from": MONDAY.date()}])
def test_whoever_is_gone_meanwhile_does_not_keep_it(gone):
    assert not routing(rep("a", **gone)).keeps("a", MONDAY)


@pytest.mark.parametrize("nobody", ["", "somebody"])
def test_nobody_keeps_nothing(nobody):
    assert not routing(rep("a")).keeps(nobody, MONDAY)


# --- looking changes nothing


def test_asking_who_would_get_it_moves_nothing():
    routes = routing(rep("a"), rep("b"))

    assert [routes.choose(Lead(), MONDAY).owner.owner_id for _ in range(3)] == ["a", "a", "a"]
    assert not routes.moved
