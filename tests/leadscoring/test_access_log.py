"""The access log of people: whoever is shown to somebody stands in one entry, and nobody else does."""

import json
import os
import pwd
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command, get_commands, load_command_class
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.timezone import now

from crm_sync.admin import ledger_figures
from crm_sync.mapping.lead_link import lead_url
from crm_sync.models import (
    Account,
    Deal,
    FieldMapping,
    Outcome,
    Owner,
    RejectingStatus,
    RoutingRule,
    Stage,
)
from leadscoring import api_keys, publishing
from leadscoring.admin import model_admin
from leadscoring.api.routes import api
from leadscoring.erasing import erase_contact
from leadscoring.management.command import JsonCommand
from leadscoring.merging import merge_contacts
from leadscoring.models import (
    AccessEntry,
    Activity,
    ApiKey,
    Contact,
    Form,
    ModelVersion,
    Score,
    Source,
)
from leadscoring.tasks import prune_access_log
from sequences.models import Delivery, Enrollment, Suppression
from sequences.unsubscribe import unsubscribe_url
from tests import makers
from tests.admin_pages import act, as_, as_one_who_may, as_superuser, page
from tests.crm_sync.makers import a_contact, a_delivered, a_rep, a_score
from tests.sequences.makers import an_enrollment, crm_read, crm_says

pytestmark = pytest.mark.django_db
Way = AccessEntry.Way
HOUR = timedelta(hours=1)


def a_person(name: str, **fields: Any) -> Contact:
    """Somebody whose name and address stand on no page by chance."""
    return a_contact(
        f"{name.lower()}@seen.example", first_name=name, last_name="Qxperson", **fields
    )


def a_lead(name: str) -> Contact:
    """Somebody who stands on every kind of page."""
    person, at = a_person(name, company="Seen Ltd", country="DE"), now()
    makers.an_activity(person, type="demo_request", occurred_at=at - HOUR)
    a_score(person, armed=True)
    row = a_delivered(at - HOUR, contact=person)
    model = ModelVersion.objects.earliest("pk")
    Outcome.objects.create(handoff=row, model=model, state="won", since=at, seen_at=at)
    crm_read(at)
    crm_says(person, at=at)
    enrollment = an_enrollment(person, at=at)
    Delivery.objects.create(
        enrollment=enrollment, position=1, email=person.email, subject="Hello", state="failed",
        reason="No such mailbox.", message_id=f"{name}@mails", claimed_at=at,
    )  # fmt: skip
    Suppression.objects.create(email=person.email, reason="bounced", created_at=at)
    deal = Deal.objects.create(deal_id=f"deal of {name}", name="Engines", seen_at=at)
    deal.contacts.add(person)
    return person


@pytest.fixture
def people() -> list[Contact]:
    """Two leads, and somebody of whom nothing is known but the name."""
    return [a_lead("Adaqx"), a_lead("Bobqx"), a_person("Cyqx")]


@pytest.fixture
def root() -> Client:
    return as_superuser()


def people_in(text: str) -> list[int]:
    """The ids of the people whose name, address or page a text has."""
    return [
        contact.pk
        for contact in Contact.objects.order_by("pk")
        if (contact.first_name and contact.first_name in text)
        or (contact.email and contact.email in text)
        or f"/contact/{contact.pk}/" in text
        or f"/contacts/{contact.pk}/" in text
    ]


def entries() -> list[tuple[str, str, list[int]]]:
    """All entries since the last look, as way, place and people."""
    found = list(AccessEntry.objects.order_by("pk").values_list("way", "place", "people"))
    AccessEntry.objects.all().delete()
    return found


# --- every page and every route

# Route -> the way and the place that its reading is noted with. No other page shows anybody.
SHOWING = {
    "/admin/": (Way.PAGE, "home"),
    "/admin/autocomplete/": (Way.PAGE, "/admin/autocomplete/"),
    "/admin/leadscoring/contact/": (Way.LIST, "contacts"),
    "/admin/leadscoring/contact/{object_id}/change/": (Way.PERSON, "contacts"),
    "/admin/leadscoring/contact/{object_id}/history/": (Way.PERSON, "contacts"),
    "/admin/leadscoring/activity/": (Way.LIST, "activities"),
    "/admin/leadscoring/activity/{object_id}/change/": (Way.PAGE, "activities"),
    "/admin/leadscoring/accessentry/{object_id}/change/": (Way.PAGE, "access log entries"),
    "/admin/leadscoring/modelversion/{pk}/publish/": (Way.PAGE, "scoring models"),
    "/admin/sequences/enrollment/": (Way.LIST, "people in sequences"),
    "/admin/sequences/enrollment/{object_id}/change/": (Way.PAGE, "people in sequences"),
    "/admin/sequences/delivery/": (Way.LIST, "mails"),
    "/admin/sequences/delivery/{object_id}/change/": (Way.PAGE, "mails"),
    "/admin/sequences/suppression/": (Way.LIST, "addresses not to mail"),
    "/admin/sequences/suppression/{object_id}/change/": (Way.PAGE, "addresses not to mail"),
    "/admin/crm_sync/handoff/": (Way.LIST, "handoffs"),
    "/admin/crm_sync/handoff/{object_id}/change/": (Way.PAGE, "handoffs"),
    "/admin/crm_sync/outcome/": (Way.LIST, "handed-off leads"),
    "/admin/crm_sync/outcome/{object_id}/change/": (Way.PAGE, "handed-off leads"),
    "/admin/crm_sync/deal/": (Way.LIST, "deals"),
    "/admin/crm_sync/deal/{object_id}/change/": (Way.PAGE, "deals"),
    "/admin/crm_sync/routingrule/{object_id}/change/": (Way.PAGE, "routing rules"),
    "/lead/{contact_id}/{token}/": (Way.PAGE, "/lead/{contact_id}/{token}/"),
    "/api/v1/contacts/{who}": (Way.API_ONE, "/api/v1/contacts/{who}"),
    "/api/v1/contacts/{who}/score": (Way.API_ONE, "/api/v1/contacts/{who}/score"),
    "/api/v1/handoffs": (Way.API_MANY, "/api/v1/handoffs"),
}
# Asked with these, for they answer nothing without.
QUERIES = {
    "/admin/autocomplete/": {
        "app_label": "leadscoring", "model_name": "activity", "field_name": "contact", "term": "adaqx",
    },
    "/admin/search/": {"s": "adaqx", "extended": "1"},
}  # fmt: skip


def routes(resolver: URLResolver, before: str = "/") -> Iterator[str]:
    """All addresses of the program, with their parameters' names in braces."""
    for one in resolver.url_patterns:
        written = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one, written)
        elif isinstance(one, URLPattern):
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", written)


def sample(route: str, someone: Contact) -> dict[str, Any]:
    """What stands for the parameters of an address: things that have to do with somebody."""
    samples: dict[str, Any] = {
        "leadscoring/contact": someone.pk,
        "leadscoring/company": someone.company_id,
        "leadscoring/activity": Activity.objects.filter(contact=someone).latest("pk").pk,
        "leadscoring/modelversion": ModelVersion.objects.latest("pk").pk,
        "leadscoring/apikey": 0,
        "leadscoring/accessentry": AccessEntry.objects.latest("pk").pk,
        "leadscoring/source": Source.objects.latest("pk").pk,
        "leadscoring/form": Form.objects.latest("pk").pk,
        "sequences/sequence": someone.enrollments.get().sequence_id,
        "sequences/enrollment": someone.enrollments.get().pk,
        "sequences/delivery": Delivery.objects.get(email=someone.email).pk,
        "sequences/suppression": Suppression.objects.get(email=someone.email).pk,
        "crm_sync/handoff": someone.handoffs.get().pk,
        "crm_sync/outcome": someone.handoffs.get().pk,
        "crm_sync/deal": someone.deals.get().pk,
        "crm_sync/stage": Stage.objects.latest("pk").pk,
        "crm_sync/owner": Owner.objects.latest("pk").pk,
        "crm_sync/routingrule": RoutingRule.objects.get(kind="territory").pk,
        "crm_sync/fieldmapping": FieldMapping.objects.earliest("pk").pk,
        "crm_sync/account": Account.objects.get().pk,
        "crm_sync/rejectingstatus": RejectingStatus.objects.latest("pk").pk,
        "auth/user": User.objects.latest("pk").pk,
        "auth/group": Group.objects.latest("pk").pk,
    }
    of_model = samples.get("/".join(route.split("/")[2:4]))
    kind = ContentType.objects.get_for_model(Contact)
    if route.startswith("/lead/"):
        token = lead_url(someone.handoffs.get(), now()).split("/")[-2]
        return {"contact_id": someone.pk, "token": token}
    return {
        "object_id": of_model or someone.pk, "pk": of_model, "id": of_model, "way": "up",
        "content_type_id": kind.pk, "app_label": "leadscoring", "url": "nothing",
        "token": "nothing", "who": someone.pk, "provider_id": "company", "version": "0", "name": "nothing",
        "write_key": "nothing", "kind": "tally", "secret": "nothing",
    }  # fmt: skip


def everything_there(someone: Contact, by: User) -> None:
    """At least one row of each kind, so that each page has something to show."""
    Account.objects.create(account_id="1", seen_at=now())
    Form.objects.create(name="contact")
    Stage.objects.create(pipeline_id="p", pipeline="Sales", stage_id="s", label="Demo")
    a_rep()
    RoutingRule.objects.create(
        kind="territory", name="All", condition="profile: {country__in: [DE]}"
    )
    source = ModelVersion.objects.earliest("pk").source.replace(
        "mql: 40, handoff: 70, rearm_below: 55", "mql: 2, handoff: 3, rearm_below: 1"
    )
    publishing.apply_draft(source)
    kind = ContentType.objects.get_for_model(Contact)
    LogEntry.objects.create(
        user=by, content_type=kind, object_id=str(someone.pk), object_repr=str(someone),
        action_flag=CHANGE, change_message="",
    )  # fmt: skip
    AccessEntry.objects.create(
        at=now(), way=Way.COMMAND, place="crm_setup", by="ops", people=[someone.pk]
    )


def test_each_page_and_route_that_shows_people_makes_one_entry_with_exactly_them(
    people: list[Contact],
) -> None:
    ada = people[0]
    operator = User.objects.create_superuser("operator")
    pages = Client()
    pages.force_login(User.objects.create_superuser("root"))
    everything_there(ada, operator)
    _, key = api_keys.create_key("reporting")
    program = Client(headers={"authorization": f"Bearer {key}"})
    machines = ("/api/", "/webhooks/mail/")
    walked = [route for route in routes(get_resolver()) if not route.startswith(machines)]
    walked += [path for path, verbs in api.get_openapi_schema()["paths"].items() if "get" in verbs]
    given = {route: sample(route, ada) for route in walked}
    before = set(AccessEntry.objects.values_list("pk", flat=True))

    wrong, showing = {}, {}
    for route in walked:
        address = re.sub(r"\(\?P<(\w+)>.*?\)", r"{\1}", route).replace("^", "").replace("$", "")
        client = program if route.startswith("/api/") else pages
        address = address.format(**given[route])
        answer = client.get(address, QUERIES.get(route))
        answered = answer.content.decode() if hasattr(answer, "content") else ""
        shown = people_in(address + answered if client is program else answered)
        noted = list(
            AccessEntry.objects.exclude(pk__in=before).values_list("way", "place", "people")
        )
        AccessEntry.objects.exclude(pk__in=before).delete()
        if [names for *_, names in noted] != ([shown] if shown else []):
            wrong[route] = {"shown": shown, "noted": noted}
        for way, place, _ in noted:
            showing[route] = way, place

    assert list(wrong.items()) == []
    assert showing == SHOWING


def test_those_above_a_list_are_noted_with_those_in_it(people: list[Contact], root: Client) -> None:
    ada, bob, _ = people

    shown = people_in(root.get(page("crm_sync.handoff"), {"ask": "attention"}).content.decode())

    assert shown == [ada.pk, bob.pk]  # the slowest leads; the list is empty
    assert entries() == [(Way.LIST, "handoffs", [ada.pk, bob.pk])]


def test_a_search_is_noted_with_whom_it_found_and_without_what_was_typed(
    people: list[Contact], root: Client
) -> None:
    root.get(page("leadscoring.contact"), {"q": "adaqx@seen.example"})

    stored = AccessEntry.objects.values().get()
    assert entries() == [(Way.SEARCH, "contacts", [people[0].pk])]
    assert "adaqx" not in str(stored)


def test_a_search_that_finds_nobody_makes_no_entry(people: list[Contact], root: Client) -> None:
    root.get(page("leadscoring.contact"), {"q": "nobody@seen.example"})

    assert entries() == []


def test_the_question_before_an_action_is_noted_with_whom_it_names_and_the_action_is_not(
    people: list[Contact], root: Client
) -> None:
    ada, bob, _ = people
    chosen = {"action": "erase_contacts", "_selected_action": [ada.pk, bob.pk], "index": "0"}

    asked = people_in(root.post(page("leadscoring.contact"), chosen).content.decode())
    noted = entries()
    root.post(page("leadscoring.contact"), chosen | {"confirmed": "yes"})

    assert asked == [ada.pk, bob.pk]
    assert noted == [(Way.PAGE, "contacts", [ada.pk, bob.pk])]
    assert entries() == []


@pytest.mark.parametrize(
    ("model", "action"),
    [
        ("leadscoring.contact", "enroll_action"), ("crm_sync.handoff", "withdraw"),
        ("sequences.enrollment", "pause"), ("sequences.suppression", "lift"),
    ],
)  # fmt: skip
def test_each_question_that_names_people_is_noted(
    people: list[Contact], root: Client, model: str, action: str
) -> None:
    ada = people[0]
    row = {
        "leadscoring.contact": ada,
        "crm_sync.handoff": ada.handoffs.get(),
        "sequences.enrollment": ada.enrollments.get(),
        "sequences.suppression": Suppression.objects.get(email=ada.email),
    }[model]

    root.post(page(model), {"action": action, "_selected_action": [row.pk], "index": "0"})

    assert [people for *_, people in entries()] == [[ada.pk]]


def test_saving_a_person_is_no_reading_and_a_form_that_comes_back_is_one(
    people: list[Contact], root: Client
) -> None:
    ada, address = people[0], page("leadscoring.contact", people[0].pk)
    form = {"email": ada.email, "external_id": "", "first_name": "Ada", "last_name": "",
            "company_name": "", "job_title": "", "phone": "", "country": "", "properties": "{}"}  # fmt: skip

    saved = root.post(address, form)
    after_saving = entries()
    refused = root.post(address, form | {"properties": "["})

    assert (saved.status_code, after_saving) == (302, [])
    assert (refused.status_code, entries()) == (200, [(Way.PERSON, "contacts", [ada.pk])])


def test_a_programs_reading_is_its_keys(people: list[Contact], program: Client) -> None:
    program.get(f"/api/v1/contacts/{people[0].email}")

    entry = AccessEntry.objects.get()
    assert (entry.by, entry.user) == ("reporting", None)
    assert entry.api_key == ApiKey.objects.get(name="reporting")
    assert entries() == [(Way.API_ONE, "/api/v1/contacts/{who}", [people[0].pk])]


def test_a_list_is_noted_with_those_of_its_page(people: list[Contact], program: Client) -> None:
    ada, bob, _ = people

    program.get("/api/v1/handoffs")
    program.get("/api/v1/handoffs", {"contact": bob.pk})
    program.get("/api/v1/handoffs", {"status": "withdrawn"})
    program.get("/api/v1/contacts/nobody@seen.example")

    assert [people for *_, people in entries()] == [[ada.pk, bob.pk], [bob.pk]]


@pytest.fixture
def program() -> Client:
    """A program with a key named reporting."""
    _, key = api_keys.create_key("reporting")
    return Client(headers={"authorization": f"Bearer {key}"}, raise_request_exception=False)


def post(client: Client, path: str, *items: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/{path}", json.dumps(items), content_type="application/json")


def test_what_comes_in_is_no_reading(people: list[Contact], program: Client) -> None:
    post(program, "contacts", {"email": people[0].email, "phone": "1"}, {"email": "?"})
    post(program, "activities", {"email": people[0].email, "type": "visit"})

    assert entries() == []


def test_a_refusal_that_tells_whose_an_identifier_is_is_a_reading_of_them(program: Client) -> None:
    ada = a_person("Adaqx", external_id="crm-7")
    bob = a_person("Bobqx", external_id="crm-8")

    one = post(program, "contacts", {"email": ada.email, "external_id": "crm-9"})
    both = post(program, "contacts", {"email": ada.email, "external_id": "crm-8"})

    assert (one.status_code, both.status_code) == (422, 422)
    assert "crm-7" in one.content.decode()
    assert entries() == [
        (Way.API_MANY, "/api/v1/contacts", [ada.pk]),
        (Way.API_MANY, "/api/v1/contacts", [ada.pk, bob.pk]),
    ]


def test_who_may_see_nobody_reads_nobody(people: list[Contact]) -> None:
    handoff = people[0].handoffs.get()
    client = as_("")

    answers = [
        client.get(address)
        for address in (
            page("crm_sync.handoff"), page("crm_sync.handoff", handoff.pk), page("leadscoring.contact"),
            page("leadscoring.contact", people[0].pk), page("leadscoring.contact", people[0].pk, "history"),
        )
    ]  # fmt: skip

    assert {answer.status_code for answer in answers} == {403}
    assert entries() == []


def test_a_list_that_is_asked_nonsense_shows_nobody(people: list[Contact], root: Client) -> None:
    answer = root.get(page("crm_sync.handoff"), {"nonsense": "1"})

    assert answer.status_code == 302
    assert entries() == []


def test_machines_and_who_unsubscribes_are_no_readers(
    people: list[Contact], client: Client
) -> None:
    link = unsubscribe_url(Delivery.objects.earliest("pk"))

    answers = [client.get(path) for path in ("/healthz", "/readyz", "/metrics", link)]

    assert "adaqx@seen.example" in answers[-1].content.decode()
    assert entries() == []


# --- commands


def run(*arguments: str) -> None:
    with suppress(SystemExit):
        call_command(*arguments)


def test_a_command_is_noted_with_whom_it_prints_and_who_runs_it(people: list[Contact]) -> None:
    ada, _, cy = people
    sequence = Enrollment.objects.earliest("pk").sequence

    run("sequence", "enroll", sequence.name, ada.email, cy.email, "nobody@seen.example")

    assert AccessEntry.objects.get().by == pwd.getpwuid(os.getuid()).pw_name
    assert entries() == [(Way.COMMAND, "sequence", [ada.pk, cy.pk])]


def test_a_check_of_scores_is_noted_with_those_that_differ(people: list[Contact]) -> None:
    Score.objects.filter(contact=people[1]).delete()

    run("rescore", "--check")

    assert entries() == [(Way.COMMAND, "rescore", [people[0].pk])]


def test_an_import_is_noted_with_those_whom_its_refusals_name(tmp_path: Path) -> None:
    ada = a_person("Adaqx", external_id="crm-7")
    file = tmp_path / "people.csv"
    file.write_text(f"email,external_id\n{ada.email},crm-9\nnew@seen.example,crm-10\n")

    run("import_contacts", str(file))

    assert entries() == [(Way.COMMAND, "import_contacts", [ada.pk])]


# Commands that name people in what they print: each has a test. All others print figures.
PRINTING_PEOPLE = {
    "crm_setup", "handoff_reconcile", "import_activities", "import_contacts", "rescore", "sequence",
}  # fmt: skip
PRINTING_FIGURES = {
    "after_restore", "create_api_key", "crm_audit", "crm_move", "crm_pull", "import_suppressions", "remove_second_factor", "scoring_model",
    "stage_effects",
}  # fmt: skip


def test_of_each_command_it_is_known_whether_it_prints_people() -> None:
    ours = {
        name
        for name, app in get_commands().items()
        if app in ("leadscoring", "sequences", "crm_sync")
    }

    assert ours == PRINTING_PEOPLE | PRINTING_FIGURES
    assert all(
        issubclass(type(load_command_class(get_commands()[name], name)), JsonCommand)
        for name in ours
    )


@pytest.mark.parametrize("command", ["sequence list", "rescore", "scoring_model list"])
def test_a_command_that_prints_figures_is_not_noted(people: list[Contact], command: str) -> None:
    run(*command.split())

    assert entries() == []


# --- who cannot be noted is not shown


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise OperationalError("no space left on device")

    monkeypatch.setattr(AccessEntry.objects, "create", refuse)


def test_without_an_entry_a_program_gets_nothing_and_asks_again(
    people: list[Contact], program: Client, no_room: None
) -> None:
    answer = program.get(f"/api/v1/contacts/{people[0].pk}")

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert people_in(answer.content.decode()) == []


def test_without_an_entry_a_page_is_not_shown(
    people: list[Contact], root: Client, no_room: None
) -> None:
    root.raise_request_exception = False

    answer = root.get(page("leadscoring.contact"))

    assert answer.status_code == 500
    assert people_in(answer.content.decode()) == []


def test_without_an_entry_a_command_prints_nobody(
    people: list[Contact], no_room: None, capsys: Any
) -> None:
    run("rescore", "--check", "--json")

    assert json.loads(capsys.readouterr().out) == {
        "error": {"message": "The database does not answer. What was done so far is kept."}
    }


# --- what it costs


@pytest.mark.parametrize(
    "model",
    ["leadscoring.contact", "leadscoring.activity", "sequences.enrollment", "sequences.delivery",
     "sequences.suppression", "crm_sync.handoff", "crm_sync.outcome", "crm_sync.deal"],
)  # fmt: skip
def test_a_list_asks_one_query_more_than_without_the_log(
    people: list[Contact], root: Client, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    root.get(page(model))
    with CaptureQueriesContext(
        connection,
    ) as noted:
        root.get(page(model))

    for place in (model_admin, ledger_figures):
        monkeypatch.setattr(place, "note_people", lambda ids: None)
    with CaptureQueriesContext(connection) as silent:
        root.get(page(model))

    inserts = [one["sql"] for one in noted if 'INTO "leadscoring_accessentry"' in one["sql"]]
    assert len(noted) == len(silent) + 1
    assert len(inserts) == 1


# --- entries


def test_an_entry_outlives_its_user_with_the_name(people: list[Contact]) -> None:
    user = User.objects.create_superuser("anna")
    client = Client()
    client.force_login(user)
    client.get(page("leadscoring.contact", people[0].pk))

    user.delete()

    entry = AccessEntry.objects.get()
    assert (entry.user, entry.by, entry.people) == (None, "anna", [people[0].pk])


def test_of_an_erased_person_only_a_number_stays(people: list[Contact], root: Client) -> None:
    ada = people[0]
    root.get(page("leadscoring.contact", ada.pk))

    erase_contact(ada.pk, now())

    stored = str(AccessEntry.objects.values().get())
    assert str([ada.pk]) in stored
    assert not {"adaqx", "qxperson", "seen"} & set(re.findall(r"\w+", stored.lower()))


def test_an_entry_names_somebody_and_who_read(people: list[Contact]) -> None:
    key, _ = api_keys.create_key("reporting")
    user = User.objects.create_superuser("anna")
    good: dict[str, Any] = {
        "at": now(),
        "way": Way.PAGE,
        "place": "home",
        "by": "anna",
        "people": [1],
    }

    wrong: list[dict[str, Any]] = [{"people": []}, {"by": ""}, {"user": user, "api_key": key}]
    for bad in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            AccessEntry.objects.create(**(good | bad))


def test_entries_go_after_a_year_or_what_the_setting_says(settings: Any) -> None:
    at = now()
    for days in (10, 364, 366):
        AccessEntry.objects.create(
            at=at - timedelta(days=days), way=Way.PAGE, place=str(days), by="anna", people=[1]
        )

    prune_access_log()
    after_a_year = [
        place
        for _, place, _ in AccessEntry.objects.order_by("pk").values_list("way", "place", "at")
    ]
    settings.ACCESS_LOG_DAYS = 30
    prune_access_log()

    assert after_a_year == ["10", "364"]
    assert AccessEntry.objects.get().place == "10"


# --- the page


LOG = page("leadscoring.accessentry")


def read_by(name: str, *people: Contact, **fields: Any) -> AccessEntry:
    given = {"at": now(), "way": Way.PERSON, "place": "contacts", "by": name}
    return AccessEntry.objects.create(people=[one.pk for one in people], **(given | fields))


def readers(client: Client, **query: str | int) -> list[str]:
    """Who stands in the log, as it is narrowed, the latest first."""
    return re.findall(r"<bdi>(reader-\w+)</bdi>", client.get(LOG, query).content.decode())


@pytest.mark.parametrize("group", ["", "Marketing", "Operations"])
def test_without_the_permission_nobody_sees_the_log(people: list[Contact], group: str) -> None:
    entry, client = read_by("reader-1", people[0]), as_(group)

    answers = [client.get(LOG), client.get(page("leadscoring.accessentry", entry.pk))]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert LOG not in client.get(page("leadscoring.contact", people[0].pk)).content.decode()


def test_with_the_permission_alone_somebody_sees_the_log(people: list[Contact]) -> None:
    read_by("reader-1", people[0])

    assert readers(as_one_who_may("leadscoring.view_accessentry")) == ["reader-1"]


def test_nobody_can_write_change_or_delete_entries(people: list[Contact], root: Client) -> None:
    entry = read_by("reader-1", people[0])

    tried = [
        root.post(f"{LOG}add/", {"by": "nobody"}),
        root.post(page("leadscoring.accessentry", entry.pk), {"by": "nobody"}),
        root.post(page("leadscoring.accessentry", entry.pk, "delete"), {"post": "yes"}),
    ]
    act(root, "leadscoring.accessentry", "delete_selected", entry.pk, post="yes")

    assert [answer.status_code for answer in tried] == [403, 403, 403]
    assert AccessEntry.objects.filter(pk=entry.pk, by="reader-1").exists()


def test_the_log_is_filtered_by_time_and_way(people: list[Contact], root: Client) -> None:
    read_by("reader-1", people[0], at=now() - timedelta(days=8))
    read_by("reader-2", people[0], way=Way.COMMAND)

    assert readers(root) == ["reader-2", "reader-1"]
    assert readers(root, ask="week") == ["reader-2"]
    assert readers(root, ask="month") == ["reader-2", "reader-1"]
    assert readers(root, way="person") == ["reader-1"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("adaqx@seen.example", ["reader-1"]), ("ADAQX@seen.example", ["reader-1"]),
        ("adaqx qxperson", ["reader-1"]), ("Qxperson", []), ("adaqx@seen", []),
        ("Reader-2", ["reader-2"]), ("reader", []), ("nobody@seen.example", []),
    ],
)  # fmt: skip
def test_the_log_is_searched_by_the_whole_name_or_address_of_a_person_or_by_reader(
    people: list[Contact], root: Client, typed: str, found: list[str]
) -> None:
    read_by("reader-1", people[0], people[1])
    read_by("reader-2", people[1])

    assert readers(root, q=typed) == found


def test_a_persons_page_leads_to_who_looked_which_is_a_reading_too(
    people: list[Contact], root: Client
) -> None:
    ada, bob, _ = people
    read_by("reader-1", ada, bob)
    read_by("reader-2", bob)
    link = f"{LOG}?person={ada.pk}"

    assert link in root.get(page("leadscoring.contact", ada.pk)).content.decode()
    entries_before = AccessEntry.objects.count()
    assert readers(root, person=ada.pk) == ["reader-1"]
    assert AccessEntry.objects.count() == entries_before + 1
    assert "Who looked at <b><bdi>Adaqx Qxperson" in root.get(link).content.decode()
    last = AccessEntry.objects.latest("pk")
    assert (last.way, last.place, last.people) == (Way.LIST, "access log entries", [ada.pk])


def test_the_log_itself_shows_nobody_and_an_entry_names_its_people(
    people: list[Contact], root: Client
) -> None:
    entry = read_by("reader-1", people[0], people[1])

    shown = people_in(root.get(LOG).content.decode())
    named = people_in(root.get(page("leadscoring.accessentry", entry.pk)).content.decode())

    assert (shown, named) == ([], [people[0].pk, people[1].pk])
    assert [people for *_, people in entries()] == [entry.people, named]


def test_who_looked_at_somebody_merged_looked_at_the_one_who_stayed(root: Client) -> None:
    makers.a_contact(email="ada@seen.example")
    kept, gone = a_lead("Adaqx"), a_lead("Bobqx")
    entry = read_by("reader-1", gone)

    merge_contacts(kept.pk, gone.pk, now())

    assert readers(root, person=kept.pk) == ["reader-1"]
    assert readers(root, person=gone.pk) == ["reader-1"]
    assert readers(root, q="bobqx@seen.example") == ["reader-1"]
    told = root.get(page("leadscoring.accessentry", entry.pk)).content.decode()
    assert page("leadscoring.contact", kept.pk) in told


@pytest.mark.parametrize("typed", ["", "x", "-1", "9" * 30, "\u0663", "1' OR '1'='1"])
def test_a_person_who_is_no_number_filters_nothing(
    people: list[Contact], root: Client, typed: str
) -> None:
    read_by("reader-1", people[0])

    assert readers(root, person=typed) == ["reader-1"]
