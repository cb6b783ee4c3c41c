"""What marketers and reps' managers see and edit of routing."""

from datetime import date, timedelta

import pytest
from django.contrib.admin import site
from django.forms import inlineformset_factory
from django.utils.timezone import now

from crm_sync.admin.rep_form import RepForm
from crm_sync.admin.reps import OwnerAdmin
from crm_sync.admin.routing import lead_shares
from crm_sync.admin.rule_form import RotationFormSet
from crm_sync.models import Owner, RoutingRule, RulePlace
from leadscoring.models import CrmState
from tests.admin_pages import HOSTILE, as_, as_superuser, page
from tests.crm_sync.makers import a_contact, a_handoff, a_rep

pytestmark = pytest.mark.django_db
RULES = page("crm_sync.routingrule")
Kind = RoutingRule.Kind
DACH = "profile: {country__in: [DE, AT, CH]}"


def read(client, address):
    return client.get(address).content.decode()


def a_rule(name="DACH", kind=Kind.TERRITORY, condition=DACH, reps=()):
    made = RoutingRule.objects.create(name=name, kind=kind, condition=condition)
    for rep in reps:
        RulePlace.objects.create(rule=made, owner=rep)
    return made


def filled(reps=(), **fields):
    """The form of a rule with its reps, as a browser sends it."""
    places = {
        f"places-{n}-{name}": value
        for n, (rep, weight) in enumerate(reps)
        for name, value in {"owner": rep.pk, "weight": weight}.items()
    }
    head = {"kind": Kind.TERRITORY, "name": "DACH", "condition": DACH, "enabled": "on"}
    total = {"places-TOTAL_FORMS": len(reps), "places-INITIAL_FORMS": 0}
    return head | total | places | fields


# --- the rules


def test_rules_are_sentences_in_their_order():
    ann, bob = a_rep(name="Ann", weight=3), a_rep(name="Bob")
    a_rule(reps=[ann, bob])

    told = read(as_("Marketing"), RULES)

    sentences = ["Whoever owns the contact in the CRM gets the lead.",
                 "All leads go in turn to everybody who takes leads.",
                 "When country is DE, AT or CH: in turn to Ann (3), Bob (1)."]  # fmt: skip
    assert [told.find(one) > 0 for one in sentences] == [True] * 3
    assert sorted(sentences, key=told.find) == sentences


def test_marketing_adds_a_territory_with_its_reps():
    ann = a_rep(name="Ann")

    as_("Marketing").post(f"{RULES}add/", filled(reps=[(ann, 3)]))

    rule = RoutingRule.objects.get(name="DACH")
    assert [(place.owner, place.weight) for place in rule.places.all()] == [(ann, 3)]
    assert rule.position == 3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"condition": ""}, "Such as profile: {country__in: [DE, AT, CH], employees__gte: 200}"),
        ({"condition": "profile:\n  country__among: [DE]"}, "It cannot be read: line 2: unknown look-up &#x27;among&#x27;"),
        ({"condition": "activity: demo"}, "It cannot be read: a territory asks who somebody is"),
        ({"condition": "x" * 4001}, "at most 4000 characters"),
        ({"kind": Kind.TURN}, "Only a territory asks which leads it is for."),
        ({"kind": Kind.CONTACT_OWNER, "condition": ""}, "There is such a rule already"),
        ({"name": ""}, "This field is required"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_with_its_reason(fields, said):
    told = as_("Marketing").post(f"{RULES}add/", filled(**fields)).content.decode()

    assert said in told
    assert RoutingRule.objects.count() == 2


def test_a_rule_for_owners_names_no_reps():
    data = filled(reps=[(a_rep(), "")], kind=Kind.COMPANY_OWNER, condition="")

    told = as_("Marketing").post(f"{RULES}add/", data).content.decode()

    assert "it names no reps" in told
    assert not RulePlace.objects.exists()


def test_a_rep_is_named_once_and_weighs_1_to_100():
    ann = a_rep()
    marketing = as_("Marketing")

    twice = marketing.post(f"{RULES}add/", filled(reps=[(ann, ""), (ann, "")])).content.decode()
    heavy = marketing.post(f"{RULES}add/", filled(reps=[(ann, "101")])).content.decode()

    assert "Please correct the duplicate" in twice
    assert "less than or equal to 100" in heavy


def test_a_rules_page_tells_whom_it_is_for_at_present():
    rule = a_rule()
    a_contact(first_name="Ada", country="AT", last_activity_at=now())
    a_contact(country="FR", last_activity_at=now())

    told = read(as_("Marketing"), page("crm_sync.routingrule", rule.pk))

    assert "1 of the 2 contacts who did something last, such as Ada." in told


def test_a_rule_moves_up_and_down():
    rule = a_rule()
    marketing = as_("Marketing")

    marketing.post(f"{RULES}{rule.pk}/move/up/")

    assert [one.name for one in RoutingRule.objects.all()][1] == "DACH"
    marketing.post(f"{RULES}{rule.pk}/move/down/")
    assert RoutingRule.objects.last() == rule


def test_looking_moves_nothing():
    rule = a_rule()

    assert as_("Marketing").get(f"{RULES}{rule.pk}/move/up/").status_code == 405
    assert RoutingRule.objects.last() == rule


def test_who_may_only_look_moves_nothing():
    rule = a_rule()

    assert as_("Operations").post(f"{RULES}{rule.pk}/move/up/").status_code == 403
    assert RoutingRule.objects.last() == rule


def test_a_rule_is_turned_off_in_the_list():
    first, second = RoutingRule.objects.all()
    data = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "form-0-id": first.pk, "form-1-id": second.pk,
            "form-1-enabled": "on", "_save": "Save"}  # fmt: skip

    as_("Marketing").post(RULES, data)

    assert list(RoutingRule.objects.filter(enabled=True)) == [second]


def test_a_rule_is_deleted():
    rule = a_rule(reps=[a_rep()])

    as_("Marketing").post(page("crm_sync.routingrule", rule.pk, "delete"), {"post": "yes"})

    assert not RoutingRule.objects.filter(pk=rule.pk).exists()


def test_saving_a_rule_leaves_its_turn_where_it_is():
    """It may move on between the reading and the writing of a row."""
    place = RulePlace.objects.create(rule=a_rule(), owner=a_rep())
    data = filled(reps=[(place.owner, 7)]) | {"places-INITIAL_FORMS": 1, "places-0-id": place.pk, "places-0-rule": place.rule_id}  # fmt: skip
    formset = inlineformset_factory(RoutingRule, RulePlace, formset=RotationFormSet, fields=["owner", "weight"])(data, instance=place.rule)  # fmt: skip
    assert formset.is_valid()
    RulePlace.objects.update(credit=5)

    formset.save()

    place.refresh_from_db()
    assert (place.weight, place.credit) == (7, 5)


# --- who got how many


def test_the_page_tells_who_got_how_many():
    ann, bob = a_rep(name="Ann"), a_rep(name="Bob")
    for rep, days in [(ann, 0), (bob, 0), (bob, 3), (bob, 6), (bob, 8)]:
        given_to(rep, now() - timedelta(days=days))

    told = [
        (str(one["rep"]), one["today"], one["week"], one["share"]) for one in lead_shares(now())
    ]
    assert told == [("Bob", 1, 3, 100), ("Ann", 1, 1, 33)]
    assert "Who got how many" in read(as_("Marketing"), RULES)


def given_to(rep, at):
    a_handoff(owner_id=rep.owner_id, status="delivered", record_id="1", task_id=f"{at:%d}{rep.pk}",
              task_tried_at=at, delivered_at=at, crossed_at=at)  # fmt: skip


def test_the_page_tells_what_becomes_of_leads_for_nobody():
    assert "nobody is the" in read(as_("Marketing"), RULES)
    a_rep(name="Bo", is_fallback=True)

    assert "<bdi>Bo</bdi> gets the lead as the fallback" in read(as_superuser(), RULES)


def test_names_from_outside_are_escaped():
    a_rule(name=HOSTILE[:60], reps=[a_rep(name=HOSTILE)])

    told = read(as_("Marketing"), RULES)

    assert "<script>alert" not in told
    assert "&lt;script&gt;alert" in told


def test_the_list_costs_the_same_with_many_rules(django_assert_max_num_queries):
    marketing = as_("Marketing")
    for number in range(30):
        a_rule(f"T{number}", reps=[a_rep() for _ in range(3)])

    with django_assert_max_num_queries(20):
        read(marketing, RULES)


# --- reps


def a_form(**fields):
    usual = {"takes_leads": "on", "weight": "1", "most_a_day": "", "away_from": "", "away_until": "", "time_zone": "",
             "working_days": ["1", "2"], "opens": "09:00", "closes": "17:00", "country": "", "subdivision": ""}  # fmt: skip
    return usual | fields


def test_a_reps_days_hours_and_holidays_are_edited():
    rep = a_rep()
    data = a_form(weight="3", most_a_day="5", away_from="2026-05-04", away_until="2026-05-12", working_days=["7", "1"],
                  opens="08:30", closes="12:00", country="DE", subdivision="BY", time_zone="Europe/Berlin")  # fmt: skip

    as_("Marketing").post(page("crm_sync.owner", rep.pk), data)

    rep.refresh_from_db()
    assert (rep.weight, rep.most_a_day, rep.away_until) == (3, 5, date(2026, 5, 12))
    assert (rep.working_days, rep.opens.minute, rep.country, rep.subdivision) == ("17", 30, "DE", "BY")  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"weight": "0"}, "greater than or equal to 1"),
        ({"most_a_day": "0"}, "At least one lead a day"),
        ({"away_from": "2026-05-12", "away_until": "2026-05-04"}, "The last day away is before the first."),
        ({"away_until": "2026-05-04"}, "Say the first day, too."),
        ({"opens": "17:00", "closes": "09:00"}, "The working day ends before it begins."),
        ({"working_days": []}, "This field is required."),
        ({"working_days": ["8"]}, "Select a valid choice."),
        ({"country": "XX"}, "Select a valid choice."),
        ({"country": "DE", "subdivision": "Bavaria"}, "Not a region whose holidays are known; those are: BB, BE"),
        ({"subdivision": "BY"}, "those are: none."),
        ({"time_zone": "Berlin"}, "they look like Europe/Berlin"),
    ],
)  # fmt: skip
def test_what_cannot_be_of_a_rep_is_refused_with_its_reason(fields, said):
    rep = a_rep()

    told = as_("Marketing").post(page("crm_sync.owner", rep.pk), a_form(**fields)).content.decode()

    assert said in told


def test_saving_a_rep_leaves_their_turn_where_it_is(rf):
    """It may move on between the reading and the writing of a row."""
    rep = a_rep()
    form = RepForm(a_form(weight="4"), instance=rep)
    assert form.is_valid()
    Owner.objects.update(credit=5, leads_counted=2)

    OwnerAdmin(Owner, site).save_model(rf.post("/"), form.save(commit=False), form, change=True)

    rep.refresh_from_db()
    assert (rep.weight, rep.credit, rep.leads_counted) == (4, 5, 2)


def test_the_list_of_reps_tells_who_is_there_and_works_when():
    a_rep(name="Ann", working_days="1245", time_zone="Europe/Berlin", most_a_day=5)
    a_rep(name="Bob", away_until=date(2999, 1, 2))

    told = read(as_("Marketing"), page("crm_sync.owner"))

    for words in ("Mon, Tue, Thu, Fri, 9:00–17:00", "Mon–Fri, 9:00–17:00", "Europe/Berlin", "0 of 5",
                  "away until 2 January 2999", "there"):  # fmt: skip
        assert words in told


# --- a contact's page


def told_of(contact):
    return read(as_superuser(), page("leadscoring.contact", contact.pk))


def test_a_contacts_page_tells_who_was_passed_over():
    a_rule(reps=[a_rep("1", name="Ann", takes_leads=False)]).move(up=True)
    a_rep("2", name="Kim", away_until=date(2999, 5, 12))
    ada = a_contact(country="DE")
    CrmState.objects.create(contact=ada, owner_id="2", since=now(), seen_at=now())

    assert (
        "A new handoff would go to <bdi>Ann (Kim owns the contact but is away until 12 May 2999; "
        "territory DACH: next in turn)</bdi>"
    ) in told_of(ada)


def test_a_contacts_page_says_when_the_crm_must_be_asked_first():
    a_rule("Company", Kind.COMPANY_OWNER, "").move(up=True)
    a_rep("1", name="Ann")
    ada = a_contact()
    CrmState.objects.create(contact=ada, record_id="7", since=now(), seen_at=now())

    assert "who owns the contact&#x27;s company is asked in the CRM when the time comes; " in told_of(ada)  # fmt: skip


def test_a_contacts_page_tells_that_nobody_would_get_them():
    told = told_of(a_contact())

    assert "A new handoff would go to <bdi>nobody (Whoever takes leads: nobody takes leads; nobody is the fallback)" in told  # fmt: skip
