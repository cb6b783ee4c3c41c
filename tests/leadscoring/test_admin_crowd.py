"""The admin with a crowd in it: who may see and do what, and what lists and home say of many."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.utils.timezone import now
from pytest_django import DjangoDbBlocker

from crm_sync.models import (
    Account,
    Deal,
    FieldMapping,
    Handoff,
    Outcome,
    Owner,
    RejectingStatus,
    RoutingRule,
    Stage,
)
from leadscoring import api_keys
from leadscoring.admin import dashboard
from leadscoring.extensions import contact_questions
from leadscoring.models import (
    AccessEntry,
    Activity,
    ActivityType,
    ApiKey,
    Company,
    Contact,
    CrmState,
    Form,
    Import,
    ModelVersion,
    Score,
    Source,
    Website,
)
from sequences.models import Delivery, Enrollment, Sequence, Suppression
from tests.admin_pages import LISTS, act, as_, as_superuser, page
from tests.bench import crowd
from tests.leadscoring.test_admin import THRESHOLDS, a_draft
from tests.makers import an_upload

pytestmark = pytest.mark.django_db
WRITTEN_BY_THE_PRODUCT = ["leadscoring.company", "leadscoring.activity", "sequences.enrollment",
                          "sequences.delivery", "crm_sync.handoff", "crm_sync.deal", "crm_sync.account",
                          "crm_sync.outcome", "leadscoring.accessentry", "leadscoring.source"]  # fmt: skip
MAY_SEE = {
    "Marketing": {*LISTS["leadscoring"], *LISTS["sequences"], *LISTS["crm_sync"]}
    - {"apikey", "account", "accessentry"},
    "Operations": {*LISTS["leadscoring"], *LISTS["sequences"], *LISTS["crm_sync"]}
    - {"accessentry"},
    "": set(),
}


@pytest.fixture(scope="module")
def people(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A crowd of invented people in all states, and one of everything else.

    Made once, in a transaction around those of the tests, so each has them as they were made.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        list(crowd.make(120, now() - timedelta(minutes=1)))
        api_keys.create_key("website")
        Form.objects.create(name="contact")
        key, text = api_keys.create_key("shop", write_only=True)
        Website.objects.create(api_key=key, write_key=text, domains=["shop.example"])
        an_upload("Email\nada@example.com\n")
        ActivityType.objects.create(name="demo_request", label="Demo Request")
        Suppression.objects.create(email="no@example.com", reason="by_hand", created_at=now())
        AccessEntry.objects.create(at=now(), way="page", place="home", by="ada", people=[1])
        Account.objects.create(account_id="77", seen_at=now())
        Outcome.objects.create(
            handoff=Handoff.objects.delivered().latest("pk"),
            model=ModelVersion.objects.latest("pk"),
            since=now(),
            seen_at=now(),
        )
        yield
        transaction.set_rollback(True)


def rows() -> dict[str, Any]:
    """A row of each list."""
    models = (Contact, Company, Activity, ModelVersion, ApiKey, Sequence, Enrollment, Delivery,
              Suppression, Handoff, Deal, Stage, Owner, RoutingRule, FieldMapping, Account,
              Outcome, RejectingStatus, AccessEntry, Source, Form, Website, Import, ActivityType)  # fmt: skip
    return {model._meta.label_lower: model._default_manager.latest("pk").pk for model in models}


# --- who may see and do what


@pytest.mark.parametrize("group", MAY_SEE)
def test_each_group_opens_its_pages_and_no_others(people: None, group: str) -> None:
    client = as_(group)
    expected = {label: 200 if label.split(".")[1] in MAY_SEE[group] else 403 for label in rows()}

    lists = {label: client.get(page(label)).status_code for label in rows()}
    pages = {label: client.get(page(label, pk)).status_code for label, pk in rows().items()}

    assert lists == expected
    assert pages == expected | {"leadscoring.import": 404}  # it is its maker's


def test_a_superuser_opens_every_page(people: None) -> None:
    client = as_superuser()
    addresses = [page(label) for label in rows()] + [page(*row) for row in rows().items()]
    addresses += ["/admin/", "/admin/auth/user/", "/admin/auth/group/", "/admin/password_change/"]

    assert {client.get(address).status_code for address in addresses} == {200}


def test_whoever_is_not_signed_in_is_asked_to(people: None) -> None:
    client = Client()

    answers = [client.get(page(label)) for label in rows()]

    assert all(answer.url.startswith("/admin/login/") for answer in answers)  # type: ignore[attr-defined]


@pytest.mark.parametrize("label", WRITTEN_BY_THE_PRODUCT)
def test_not_even_a_superuser_edits_what_the_product_writes(people: None, label: str) -> None:
    client, pk = as_superuser(), rows()[label]

    answers = [client.get(page(label) + "add/"), client.post(page(label) + "add/"),
               client.post(page(label, pk), {"status": "delivered"}),
               client.post(page(label, pk, "delete"), {"post": "yes"})]  # fmt: skip

    assert [answer.status_code for answer in answers] == [403] * 4


@pytest.mark.parametrize(
    "label", [f"{app}.{name}" for app, names in LISTS.items() for name in names]
)
def test_nothing_is_deleted_in_bulk(people: None, label: str) -> None:
    client, pk = as_superuser(), rows()[label]

    act(client, label, "delete_selected", pk, post="yes")

    assert rows()[label] == pk


def test_whatever_is_offered_for_deleting_can_be_deleted(people: None) -> None:
    client = as_superuser()
    busy = User.objects.create_user("busy", is_staff=True)
    LogEntry.objects.create(user=busy, action_flag=CHANGE, object_repr="a model")
    pages = [*rows().items(), ("auth.group", Group.objects.latest("pk").pk)]
    pages += [("auth.user", pk) for pk in User.objects.values_list("pk", flat=True)]
    spare = User.objects.create_user("spare")

    offered = [
        page(label, pk, "delete")
        for label, pk in [*pages, ("auth.user", spare.pk)]
        if page(label, pk, "delete") in client.get(page(label, pk)).content.decode()
    ]
    contexts = [client.get(address).context for address in offered]

    assert page("auth.user", spare.pk, "delete") in offered
    assert page("auth.user", busy.pk, "delete") not in offered
    assert [(one["perms_lacking"], one["protected"]) for one in contexts] == [(set(), [])] * len(
        offered
    )


def test_somebody_without_permissions_is_told_whom_to_ask(people: None) -> None:
    said = as_("").get("/admin/").content.decode()

    assert "Nothing to see yet" in said
    assert "Funnel" not in said


# --- lists


@pytest.mark.parametrize(
    "label", [f"{app}.{name}" for app, names in LISTS.items() for name in names]
)
def test_a_list_asks_no_more_with_more_rows(
    people: None, label: str, django_assert_max_num_queries: object
) -> None:
    client = as_superuser()
    client.get(page(label))

    # The figures above the ledger's list are fourteen, whatever there is; above the outcomes' five.
    # Above the types stands what waits for them.
    most = {
        "crm_sync.handoff": 23,
        "crm_sync.outcome": 12,
        "crm_sync.routingrule": 10,
        "leadscoring.activitytype": 12,
    }.get(label, 9)
    with django_assert_max_num_queries(most):  # type: ignore[operator]
        answer = client.get(page(label))

    assert answer.status_code == 200


@pytest.mark.parametrize("query", ["q=ada", "q=%00", "q=" + "x" * 5000, "ask=nonsense", "ask=%00", "band=-1",
                                   "band=1e9", "fit=%27", "stage=%3Cb%3E", "p=999999", "p=x", "o=9.9"])  # fmt: skip
def test_no_query_breaks_the_list_of_contacts(people: None, query: str) -> None:
    answer = as_superuser().get(f"{page('leadscoring.contact')}?{query}", follow=True)

    assert answer.status_code == 200


def test_each_question_is_answered_by_whom_it_speaks_of(people: None) -> None:
    at = now()
    threshold = ModelVersion.objects.in_force(at).model.thresholds.handoff
    told = set(Handoff.objects.delivered().values_list("contact", flat=True))
    hot = set(Score.objects.filter(total__gte=threshold).values_list("pk", flat=True))
    expected = {
        "hot": hot - told,
        "handed-off": told,
        "paused": set(CrmState.objects.filter(effect="pause").values_list("pk", flat=True)),
        "stopped": set(CrmState.objects.filter(effect="stop").values_list("pk", flat=True)),
        "with-sales": set(Deal.objects.filter(closed=False).values_list("contacts", flat=True)),
        "won": set(Deal.objects.filter(won=True).values_list("contacts", flat=True)),
        "unscored": set(Contact.objects.filter(pk__endswith="49").values_list("pk", flat=True)),
        "disqualified": set(Score.objects.filter(disqualified=True).values_list("pk", flat=True)),
    }  # fmt: skip

    answers = {key: set(contact_questions[key].answer(Contact.objects.all(), at).values_list("pk", flat=True))
               for key in expected}  # fmt: skip

    assert answers == expected
    assert all(answers[key] for key in ("hot", "handed-off", "paused", "with-sales", "unscored"))


# --- home


def test_home_counts_each_stop_of_the_loop(people: None) -> None:
    user = as_superuser().get("/admin/").wsgi_request.user

    stations = {one.name: one.people for one in dashboard.home_context(user, now())["stations"]}

    assert list(stations) == ["People", "Scored", "MQL", "Handed off", "With sales", "Won"]
    assert stations["People"] == 120
    assert stations["Scored"] == Score.objects.count()
    assert stations["Handed off"] == Handoff.objects.delivered().count()


def test_each_stop_of_the_loop_links_to_the_people_it_counts(people: None) -> None:
    client = as_superuser()
    user = client.get("/admin/").wsgi_request.user

    for station in dashboard.home_context(user, now())["stations"]:
        listed = client.get(station.url).context["cl"].result_count

        assert listed == station.people, station.name


def test_each_band_of_scores_links_to_the_people_it_counts(people: None) -> None:
    client = as_superuser()

    for bar in dashboard.score_distribution(THRESHOLDS):
        assert client.get(bar.url).context["cl"].result_count == bar.people, bar.label


def test_scores_below_zero_and_above_the_last_band_are_counted(people: None) -> None:
    Score.objects.filter(pk=Score.objects.earliest("pk").pk).update(total=-12)
    Score.objects.filter(pk=Score.objects.latest("pk").pk).update(total=1e6)

    bars = dashboard.score_distribution(THRESHOLDS)

    assert sum(bar.people for bar in bars) == Score.objects.count()
    assert bars[-1].people >= 1


# --- what is done to many


def test_people_are_erased_not_deleted(people: None) -> None:
    ada = Contact.objects.earliest("pk")

    answer = as_superuser().post(page("leadscoring.contact", ada.pk, "delete"), {"post": "yes"})

    assert answer.status_code == 403
    assert Contact.objects.filter(pk=ada.pk).exists()


def test_publishing_shows_first_who_would_cross(people: None) -> None:
    draft = a_draft("handoff: 70", "handoff: 56")
    expected = Score.objects.filter(total__gte=56, armed=True).count()

    told = as_("Marketing").get(page("leadscoring.modelversion", draft.pk, "publish"))

    assert told.context["seen"].people == 120
    assert told.context["seen"].would_cross >= expected > 0
    assert ModelVersion.objects.published().count() == 1
