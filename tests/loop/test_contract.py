"""The contract, kept by a product that runs: asked from outside, section by section."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from tests.loop import printed as says
from tests.loop.outside import TASK_TO_CONTACT, Done, Outside, ask, everything, until
from tests.loop.printed import has

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with everything(tmp_path_factory.mktemp("stage")) as product:
        yield product


# --- sections 3 and 5: scoring models ---------------------------------------------------------
class Printed:
    """What was said while section 5's model went into force, and what people are worth by it."""

    def __init__(self, outside: Outside, file: Path) -> None:
        file.write_text(says.MODEL)
        self.applied = outside.json("scoring_model", "apply", str(file))
        self.applied_again = outside.json("scoring_model", "apply", str(file))
        self.exported = outside.run("scoring_model", "export", "default")
        self.planned = outside.json("scoring_model", "publish", "default", "2")
        self.listed_before = outside.json("scoring_model", "list")
        self.published = outside.json("scoring_model", "publish", "default", "2", "--yes")
        self.listed = outside.json("scoring_model", "list")
        visits("one", outside, at=[BEGAN])
        visits("many", outside, at=[BEGAN] * 5)
        visits("spread", outside, at=[BEGAN] * 4 + [BEGAN - timedelta(days=8)])
        visits("head", outside, at=[BEGAN], job_title="Head of Ops")
        visits("docs", outside, at=[BEGAN], url="/docs")
        visits("spy", outside, at=[BEGAN] * 3, job_title="VP", domain="rival.example")
        self.scores = {
            (who, days): outside.get(
                f"contacts/{who}@{domain}/score?at={instant(BEGAN + timedelta(days=days))}"
            )
            for who, domain in PEOPLE
            for days in DAYS
        }
        ahead = BEGAN + timedelta(days=14)
        self.rescored = outside.json("rescore", "--at", ahead.isoformat())
        self.ahead = outside.contact("one@lead.example")["score"]
        self.checked = outside.json("rescore", "--check")
        self.rescored_for_now = outside.json("rescore")
        self.now = outside.contact("one@lead.example")["score"]


DAYS = (1, 7, 14, 28, 83, 91)
PEOPLE = [(who, "lead.example") for who in ("one", "many", "spread", "head", "docs")] + [
    ("spy", "rival.example")
]


def visits(
    who: str,
    outside: Outside,
    at: list[datetime],
    job_title: str = "",
    url: str = "https://x.example/pricing",
    domain: str = "lead.example",
) -> None:
    email = f"{who}@{domain}"
    outside.post("contacts", {"email": email, "job_title": job_title})
    viewed = {"email": email, "type": "page_view", "properties": {"url": url}}
    rows = [
        viewed | {"occurred_at": instant, "event_id": f"{who}-{number}"}
        for number, instant in enumerate(moment.isoformat() for moment in at)
    ]
    assert outside.post("activities", rows)["accepted"] == len(at)


def instant(at: datetime) -> str:
    return quote(at.isoformat())


@pytest.fixture(scope="module")
def printed(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    return Printed(outside, tmp_path_factory.mktemp("printed") / "model.yaml")


def test_the_printed_model_becomes_a_draft_and_comes_out_as_it_went_in(printed: Printed):
    assert printed.applied == (
        0, {"name": "default", "version": 2, "changed": True, "draft": True}
    )  # fmt: skip
    assert printed.applied_again[1]["changed"] is False
    assert printed.exported.out.strip() == says.MODEL.strip()


def test_publishing_says_what_it_would_do_and_does_it_with_yes_only(printed: Printed):
    states = {row["version"]: row["state"] for row in printed.listed_before[1]["models"]}
    after = {row["version"]: row["state"] for row in printed.listed[1]["models"]}

    assert (printed.planned[0], printed.planned[1]["published"]) == (0, False)
    assert states == {1: "in force", 2: "draft"}
    assert (printed.published[0], printed.published[1]["published"]) == (0, True)
    assert after == {1: "earlier", 2: "in force"}


@pytest.mark.parametrize(
    ("who", "days", "total", "grade"),
    [
        ("one", 7, 10.61, "D3"),  # 15 · 2^(-7/14)
        ("one", 14, 7.5, "D4"),
        ("one", 28, 3.75, "D4"),
        ("one", 91, 0, "D4"),  # out of the window
        ("many", 1, 30, "D2"),  # three of the five count: 3 · 14.28 = 42.8; the rule's cap
        ("many", 14, 22.5, "D3"),
        ("many", 28, 11.25, "D3"),
        ("spread", 14, 27.55, "D2"),  # and one of the week before: 15 · 2^(-22/14) = 5.05
        ("spread", 83, 0.74, "D4"),  # which is out of the window now
        ("head", 14, 27.5, "C4"),
        ("docs", 1, 0, "D4"),
        ("spy", 1, 0, "D4"),
    ],
)
def test_a_score_by_the_printed_model_is_what_one_computes_by_hand(
    printed: Printed, who: str, days: int, total: float, grade: str
):
    score = printed.scores[who, days]

    assert score["total"] == pytest.approx(total, abs=0.006)
    assert score["grade"] == grade


def test_contributions_add_up_and_name_their_evidence(printed: Printed):
    for score in printed.scores.values():
        added = round(sum(each["points"] for each in score["contributions"]), 2)
        assert (score["total"], round(score["fit"] + score["engagement"], 2)) == (added, added)
        assert has(score, says.EXPLAINED)
        assert all(has(each, says.CONTRIBUTION) for each in score["contributions"])
        assert score["model"] == {"name": "default", "version": 2}
        assert score["qualification"] == {"armed": True, "cycle": 0}
    [visits] = printed.scores["many", 14]["contributions"]
    assert (visits["rule"], visits["group"], visits["count"]) == ("pricing-page", "engagement", 3)
    assert datetime.fromisoformat(visits["last_at"]) == BEGAN
    assert visits["because"].startswith("Visited pricing 3 times")
    assert "disqualified" in printed.scores["spy", 1]["contributions"][0]["because"]


def test_a_rescore_for_an_instant_and_back(printed: Printed):
    assert printed.rescored[0] == printed.rescored_for_now[0] == 0
    assert datetime.fromisoformat(printed.ahead["at"]) == BEGAN + timedelta(days=14)
    assert printed.ahead["total"] == 7.5
    assert (printed.checked[0], printed.checked[1]["differ"]) == (0, 0)
    assert datetime.fromisoformat(printed.now["at"]) < BEGAN + timedelta(days=1)
    assert printed.now["total"] > 14


@pytest.mark.parametrize(
    ("right", "wrong", "line", "reason"),
    [
        ("url__contains", "url__like", 9, "like"),
        ("rearm_below: 55", "rearm_below: 75", 2, "rearm_below"),
        ("key: senior-title", "key: pricing-page", 15, "pricing-page"),
    ],
)
def test_a_model_that_cannot_be_right_is_refused_with_line_and_reason(
    outside: Outside, tmp_path: Path, right: str, wrong: str, line: int, reason: str
):
    file = tmp_path / "model.yaml"
    file.write_text(says.MODEL.replace(right, wrong))

    code, told = outside.json("scoring_model", "apply", str(file))

    assert (code, told["error"]["line"]) == (1, line)
    assert reason in told["error"]["reason"]


# --- section 3: the other commands ------------------------------------------------------------
MISUSES = [
    ("import_contacts",),
    ("import_contacts", "nowhere.csv"),
    ("import_activities", "nowhere.csv"),
    ("create_api_key",),
    ("scoring_model",),
    ("scoring_model", "export", "nope"),
    ("scoring_model", "publish", "default", "99"),
    ("sequence", "enroll", "nope", "ada@alder.example"),
    ("sequence", "apply", "nowhere.yaml"),
    ("rescore", "--at", "soon"),
    ("crm_setup", "--nope"),
    ("stage_effects", "set", "default", "nope", "stop"),
    ("stage_effects", "set", "default", "closedwon", "never"),
    ("crm_pull", "--nope"),
    ("crm_audit", "--nope"),
    ("handoff_reconcile", "--nope"),
]


def test_a_command_used_wrongly_exits_with_two_and_says_so_on_standard_error(outside: Outside):
    def misuse(arguments: tuple[str, ...]) -> Done:
        return outside.run(*arguments, "--json")

    with ThreadPoolExecutor(3) as pool:
        ended = dict(zip(MISUSES, pool.map(misuse, MISUSES), strict=True))

    assert {use: done.code for use, done in ended.items()} == dict.fromkeys(MISUSES, 2)
    assert all(list(done.document) == ["error"] for done in ended.values())
    assert all(done.err and "Traceback" not in done.err for done in ended.values())


def test_a_key_is_printed_once_and_opens(outside: Outside):
    code, made = outside.json("create_api_key", "a-website")
    again, refused = outside.json("create_api_key", "a-website")

    assert (code, made["name"]) == (0, "a-website")
    assert outside.api("GET", "handoffs", key=made["key"]).status == 200
    assert again == 1
    assert "key" not in refused


def test_people_are_imported_and_what_was_rejected_can_be_mended(outside: Outside, tmp_path: Path):
    file, errors = tmp_path / "people.csv", tmp_path / "errors.csv"
    file.write_text("Mail,Vorname,size\nann@csv.example,Ann,70\nbad,Bad,1\nben@csv.example,Ben,\n")
    command = ("import_contacts", str(file), "--map", "email=Mail", "--map", "first_name=Vorname")

    dry, would = outside.json(*command, "--dry-run")
    unknown = outside.api("GET", "contacts/ann@csv.example")
    code, done = outside.json(*command, "--errors", str(errors))

    assert (dry, unknown.status, code) == (1, 404, 1)
    assert would | {"seconds": 0, "rows_per_second": 0, "dry_run": False, "errors_file": ""} == (
        done | {"seconds": 0, "rows_per_second": 0, "errors_file": ""}
    )
    assert (done["created"], done["rejected"], done["rejections"][0]["line"]) == (2, 1, 3)
    assert "e-mail" in errors.read_text()
    errors.write_text(errors.read_text().replace("bad,", "bad@csv.example,"))
    mended = ("import_contacts", str(errors), *command[2:])
    assert outside.json(*mended)[0] == 0
    assert outside.contact("bad@csv.example")["first_name"] == "Bad"
    assert outside.contact("ann@csv.example")["properties"]["size"] == "70"


def test_activities_are_imported_once(outside: Outside, tmp_path: Path):
    file, errors = tmp_path / "activities.csv", tmp_path / "errors.csv"
    file.write_text(
        "who,what,occurred_at,event_id\n"
        "cy@csv.example,page_view,2026-11-20T10:00:00Z,a1\n"
        "cy@csv.example,page_view,yesterday,a2\n"
    )
    mapped = ("--map", "email=who", "--map", "type=what", "--errors", str(errors))
    command = ("import_activities", str(file), *mapped)

    first, done = outside.json(*command)
    second, again = outside.json(*command)

    assert (first, second) == (1, 1)
    assert (done["accepted"], done["duplicates"], done["rejected"]) == (1, 0, 1)
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (0, 1, 1)
    assert "occurred_at" in errors.read_text()


def test_every_setting_is_in_the_example_and_a_wrong_one_is_named(outside: Outside):
    example = Path(".env.example").read_text()

    done = outside.run("rescore", "--check", CRM_POLL_SECONDS="soon")

    assert [name for name in says.SETTINGS if not re.search(rf"^#?{name}=", example, re.M)] == []
    assert (done.code, done.out) == (2, "")
    assert len(done.err.strip().splitlines()) == 1
    assert "CRM_POLL_SECONDS" in done.err


# --- sections 5 and 6: everything that sells --------------------------------------------------
class Selling:
    """A model under which people go to sales, the printed sequence, and HubSpot made ready."""

    def __init__(self, outside: Outside, folder: Path) -> None:
        (folder / "model.yaml").write_text(says.SELLING)
        (folder / "sequence.yaml").write_text(says.SEQUENCE)
        outside.json("scoring_model", "apply", str(folder / "model.yaml"))
        outside.json("scoring_model", "publish", "default", "3", "--crossings=none", "--yes")
        self.plan = outside.json("crm_setup", "--plan")
        self.untouched = outside.hubspot("GET", "/crm/v3/properties/contacts/lead_score")
        self.set_up = outside.json("crm_setup")
        self.nothing_left = outside.json("crm_setup", "--plan")
        self.applied = outside.json("sequence", "apply", str(folder / "sequence.yaml"))


@pytest.fixture(scope="module")
def selling(
    outside: Outside, printed: Printed, tmp_path_factory: pytest.TempPathFactory
) -> Selling:
    return Selling(outside, tmp_path_factory.mktemp("selling"))


def known(outside: Outside, email: str, **more: Any) -> None:
    """A person who is worth 42, and so in the sequence."""
    outside.post("contacts", {**says.PERSON, "email": email, **more})


def handed_off(outside: Outside, email: str, **more: Any) -> Any:
    """A person who has just crossed, as soon as their handoff is settled."""
    known(outside, email, **more)
    outside.act(email, "demo_request")
    return outside.settled(email)


def in_hubspot(outside: Outside, email: str, **properties: str) -> str:
    return outside.made("contacts", email=email, **properties)


def test_set_up_plans_makes_what_is_missing_and_then_has_nothing_to_do(selling: Selling):
    codes = [selling.plan[0], selling.set_up[0], selling.nothing_left[0]]

    assert codes == [0, 0, 0]
    assert len(selling.plan[1]["steps"]) == 10
    assert selling.untouched.status == 404
    assert selling.set_up[1]["steps"] == selling.plan[1]["steps"]
    assert selling.nothing_left[1]["steps"] == []


@pytest.mark.parametrize(
    ("names", "kind", "field"),
    [
        ("lead_score lead_fit lead_engagement", "number", "number"),
        ("lead_grade", "enumeration", "select"),
        ("lead_score_reasons lead_recent_activity lead_sequence_history", "string", "textarea"),
        ("lead_qualified_at", "datetime", "date"),
    ],
)
def test_the_properties_are_of_the_types_of_section_6(
    outside: Outside, selling: Selling, names: str, kind: str, field: str
):
    for name in names.split():
        made = outside.hubspot("GET", f"/crm/v3/properties/contacts/{name}")

        assert (made["groupName"], made["type"], made["fieldType"]) == (
            "lead_scoring",
            kind,
            field,
        )


@pytest.fixture(scope="module")
def grace(outside: Outside, selling: Selling) -> Any:
    """Grace's handoff. She has read prices on two days and was at a webinar."""
    email, now = "grace@hopper.example", datetime.now(UTC)
    profile = {"first_name": "Grace", "last_name": "Hopper", "company": "Hopper & Sons"}
    known(outside, email, **profile, phone="+1 212 5550100")
    earlier = [("page_view", 1), ("page_view", 2), ("webinar", 3)]
    for kind, days in earlier:
        at = (now - timedelta(days=days)).isoformat()
        outside.act(email, kind, occurred_at=at, properties={"url": "https://x.example/pricing"})
    outside.act(email, "demo_request")
    return outside.settled(email)


def test_hubspot_has_the_contact_as_section_6_says(outside: Outside, grace: Any):
    expected = {
        "email": "grace@hopper.example",
        "firstname": "Grace",
        "lastname": "Hopper",
        "company": "Hopper & Sons",
        "jobtitle": "Chief of Staff",
        "phone": "+1 212 5550100",
        "lead_score": "89",
        "lead_fit": "42",
        "lead_engagement": "47",
        "lead_grade": "A1",
        "lifecyclestage": "marketingqualifiedlead",
        "hs_lead_status": "IN_PROGRESS",
    }
    texts = ("lead_score_reasons", "lead_recent_activity", "lead_sequence_history")

    record = outside.properties(
        "contacts", grace["record_id"], *expected, *texts, "lead_qualified_at"
    )

    assert {name: record[name] for name in expected} == expected
    assert len(record["lead_score_reasons"].splitlines()) == 5
    assert "Asked for a demo on " in record["lead_score_reasons"].splitlines()[0]
    assert "demo request" in record["lead_recent_activity"].splitlines()[0]
    assert "nurture" in record["lead_sequence_history"]
    qualified = datetime.fromisoformat(record["lead_qualified_at"])
    assert qualified == datetime.fromisoformat(grace["crossed_at"]).replace(microsecond=0)


TASK = [
    "hs_task_subject",
    "hs_task_body",
    "hs_task_status",
    "hs_task_priority",
    "hs_task_type",
    "hs_timestamp",
    "hubspot_owner_id",
]


def test_the_task_is_one_that_a_rep_calls_by(outside: Outside, grace: Any):
    task = outside.properties("tasks", grace["task_id"], *TASK)
    reps = {each["id"] for each in outside.hubspot("GET", "/crm/v3/owners/")["results"]}

    assert task["hs_task_subject"] == "Hot lead: Grace Hopper, Hopper & Sons (score 89, A1)"
    assert task["hs_task_status"] == "NOT_STARTED"
    assert task["hs_task_priority"] == "HIGH"
    assert task["hs_task_type"] == "CALL"
    assert task["hubspot_owner_id"] == grace["owner_id"]
    assert grace["owner_id"] in reps


def test_the_body_has_all_parts_that_section_6_lists(outside: Outside, grace: Any):
    body = outside.properties("tasks", grace["task_id"], "hs_task_body")["hs_task_body"]
    text = unescape(re.sub(r"<[^>]+>", "\n", body))
    crossed = datetime.fromisoformat(grace["crossed_at"])
    today = f"{crossed.day} {crossed:%B}"

    [link] = re.findall(r'href="([^"]+)"', body)

    reasons = [line for line in text.splitlines() if re.search(r"\(\+\d+\)$", line)]
    assert reasons == [
        f"Asked for a demo on {today} (+30)",
        "Senior job title: Chief of Staff (+25)",
        "Company of 50 or more: 120 (+17)",
    ]
    [fit] = [line for line in text.splitlines() if line.startswith("Fit A")]
    assert "Senior job title: Chief of Staff; Company of 50 or more: 120" in fit
    assert f"{today}: demo request" in text
    assert re.search(r"page view,? /pricing", text)
    assert "nurture: " in text
    assert f"ref {grace['reference']}" in text
    assert grace["reference"].startswith("LS-")
    assert link.startswith(f"{outside.stage.web}/")
    assert f"/{grace['contact']}/" in link


def test_the_task_is_due_after_the_crossing_in_working_hours(outside: Outside, grace: Any):
    task = outside.properties("tasks", grace["task_id"], "hs_timestamp")
    due = datetime.fromisoformat(task["hs_timestamp"])  # the account is in UTC

    assert due > datetime.fromisoformat(grace["crossed_at"])
    assert due.weekday() < 5
    assert 9 <= due.hour + due.minute / 60 <= 17


def test_the_contact_has_this_one_task_however_much_they_do(outside: Outside, grace: Any):
    outside.act("grace@hopper.example", "demo_request")
    [link] = outside.linked("tasks", grace["task_id"], "contacts")

    tasks = outside.linked("contacts", grace["record_id"], "tasks")

    assert [kind["typeId"] for kind in link["associationTypes"]] == [TASK_TO_CONTACT]
    assert str(link["toObjectId"]) == grace["record_id"]
    assert [str(task["toObjectId"]) for task in tasks] == [grace["task_id"]]
    assert len(outside.contact("grace@hopper.example")["handoffs"]) == 1


def test_a_second_cycle_makes_a_second_task_and_leaves_what_the_rep_wrote(
    outside: Outside, selling: Selling
):
    email = "mary@second.example"
    record_id = handed_off(outside, email, first_name="Mary", phone="1")["record_id"]
    theirs = {"phone": "2", "hs_lead_status": "CONNECTED", "lifecyclestage": "opportunity"}
    outside.changed("contacts", record_id, **theirs)
    known(outside, email, phone="3", first_name="Maria")
    outside.act(email, "said_no")
    outside.act(email, "demo_request")
    outside.act(email, "demo_request")

    second = outside.settled(email, count=2)

    assert (second["cycle"], second["status"]) == (2, "delivered")
    assert len(outside.linked("contacts", record_id, "tasks")) == 2
    assert outside.properties("contacts", record_id, *theirs, "firstname") == (
        theirs | {"firstname": "Maria"}
    )


def test_what_is_ahead_of_ours_and_was_there_before_stays(outside: Outside, selling: Selling):
    there = {"lifecyclestage": "salesqualifiedlead", "hs_lead_status": "OPEN", "phone": "55"}
    record_id = in_hubspot(outside, "lin@there.example", **there)

    handoff = handed_off(outside, "lin@there.example", phone="66", last_name="Lin")

    assert handoff["record_id"] == record_id
    assert outside.properties("contacts", record_id, *there, "lastname") == (
        there | {"lastname": "Lin"}
    )


def test_what_is_behind_ours_moves_forward(outside: Outside, selling: Selling):
    record_id = in_hubspot(outside, "low@there.example", lifecyclestage="subscriber")

    handed_off(outside, "low@there.example")

    assert outside.properties("contacts", record_id, "lifecyclestage", "hs_lead_status") == {
        "lifecyclestage": "marketingqualifiedlead",
        "hs_lead_status": "IN_PROGRESS",
    }


def test_the_owner_of_the_contact_gets_the_task_but_not_one_who_has_left(
    outside: Outside, selling: Selling
):
    active = outside.hubspot("GET", "/crm/v3/owners/")["results"]
    gone = outside.hubspot("GET", "/crm/v3/owners/?archived=true")["results"][0]["id"]
    last = active[-1]["id"]
    owned = {"a@owned.example": last, "b@owned.example": last, "c@owned.example": gone}
    for email, owner in owned.items():
        in_hubspot(outside, email, hubspot_owner_id=owner)

    given = {email: handed_off(outside, email)["owner_id"] for email in owned}

    assert given["a@owned.example"] == given["b@owned.example"] == last
    assert given["c@owned.example"] in {each["id"] for each in active}


def test_a_customer_is_withdrawn_with_the_reason(outside: Outside, selling: Selling):
    in_hubspot(outside, "cus@there.example", lifecyclestage="customer")

    handoff = handed_off(outside, "cus@there.example")

    assert (handoff["status"], handoff["task_id"]) == ("withdrawn", None)
    assert "customer" in handoff["because"]


# --- section 6: read back ---------------------------------------------------------------------
def enrollment(outside: Outside, email: str, state: str) -> Any:
    """The enrollment of a contact, as soon as it is in that state."""

    def look() -> Any:
        rows = outside.contact(email)["enrollments"]
        return next((row for row in rows if row["state"] == state), None)

    return until(look)


def test_a_deal_pauses_resumes_and_stops_the_sequence_and_is_named(
    outside: Outside, selling: Selling
):
    email, name = "deal@back.example", "Big order"
    record_id = in_hubspot(outside, email)
    known(outside, email)
    enrollment(outside, email, "active")

    deal = outside.deal(record_id, "contractsent", name)
    paused = enrollment(outside, email, "paused")
    crm = outside.contact(email)["crm"]

    assert name in paused["because"]
    assert (crm["effect"], crm["record_id"], name in crm["because"]) == ("pause", record_id, True)
    assert [has(each, says.DEAL) for each in crm["deals"]] == [True]
    outside.changed("deals", deal, dealstage="qualifiedtobuy")
    assert has(enrollment(outside, email, "active"), says.ENROLLMENT)
    assert outside.contact(email)["crm"]["effect"] == "none"
    outside.changed("deals", deal, dealstage="closedwon")
    assert name in enrollment(outside, email, "stopped")["because"]
    assert outside.contact(email)["crm"]["effect"] == "stop"


def test_of_several_deals_the_strictest_decides_and_is_named(outside: Outside, selling: Selling):
    email = "deals@back.example"
    record_id = in_hubspot(outside, email)
    known(outside, email)
    outside.deal(record_id, "contractsent", "Softer")
    outside.deal(record_id, "closedlost", "Harder")

    stopped = enrollment(outside, email, "stopped")

    assert "Harder" in stopped["because"]
    assert {each["name"]: each["effect"] for each in outside.contact(email)["crm"]["deals"]} == {
        "Softer": "pause",
        "Harder": "stop",
    }


def test_who_opts_out_in_hubspot_gets_no_mail(outside: Outside, selling: Selling):
    email = "out@back.example"
    in_hubspot(outside, email, hs_email_optout="true")
    known(outside, email)

    stopped = enrollment(outside, email, "stopped")

    assert "out" in stopped["because"].lower()
    assert outside.json("sequence", "enroll", "nurture", email)[0] == 1
    assert outside.mails(email) == []


def test_the_owner_in_hubspot_is_told(outside: Outside, selling: Selling):
    email = "owner@back.example"
    rep = outside.hubspot("GET", "/crm/v3/owners/")["results"][0]
    in_hubspot(outside, email, hubspot_owner_id=rep["id"])
    known(outside, email)

    owner = until(lambda: outside.contact(email)["crm"]["owner"])

    name = f"{rep['firstName']} {rep['lastName']}"
    assert owner == {"id": rep["id"], "name": name, "email": rep["email"]}


def test_stages_do_by_themselves_what_section_3_says(outside: Outside, selling: Selling):
    code, listed = outside.json("stage_effects", "list")
    effects = {
        each["stage_id"]: each["effect"]
        for each in listed["stages"]
        if each["pipeline_id"] == "default"
    }

    assert code == 0
    for stage in outside.hubspot("GET", "/crm/v3/pipelines/deals/default")["stages"]:
        if stage["id"] in effects and not stage["label"].startswith("Later"):
            assert effects[stage["id"]] == by_default(stage["metadata"])


def by_default(metadata: dict[str, str]) -> str:
    if metadata["isClosed"] == "true":
        return "stop"
    return "pause" if float(metadata["probability"]) >= 0.6 else "none"


def test_a_stage_that_turns_up_later_pauses_until_somebody_sets_it(
    outside: Outside, selling: Selling
):
    email = "later@back.example"
    new = {"label": "Later: legal", "displayOrder": 9, "metadata": {"probability": "0.1"}}
    stage = outside.hubspot("POST", "/crm/v3/pipelines/deals/default/stages", new)["id"]
    record_id = in_hubspot(outside, email)
    known(outside, email)
    outside.deal(record_id, stage, "Odd")

    paused = enrollment(outside, email, "paused")
    code, was = outside.json("stage_effects", "list")
    done, told = outside.json("stage_effects", "set", "Sales Pipeline", "Later: legal", "none")

    assert "nobody has set" in paused["because"]
    [listed] = [each for each in was["stages"] if each["stage_id"] == stage]
    assert (code, listed["effect"], done, told["effect"]) == (0, "pause", 0, "none")
    assert enrollment(outside, email, "active")
    by_ids, told = outside.json("stage_effects", "set", "default", stage, "stop")
    assert (by_ids, told["effect"]) == (0, "stop")
    assert enrollment(outside, email, "stopped")


def test_a_pull_by_hand_brings_the_crm_s_state(outside: Outside, selling: Selling):
    before = datetime.now(UTC)

    codes = [outside.json("crm_pull"), outside.json("crm_pull", "--full")]

    assert [code for code, _ in codes] == [0, 0]
    assert all(datetime.fromisoformat(told["as_of"]) > before for _, told in codes)


def test_the_audit_tells_the_whole_surface_and_whether_handoffs_work(outside: Outside, grace: Any):
    code, told = outside.json("crm_audit")
    alone, without_token = outside.json("crm_audit", HUBSPOT_ACCESS_TOKEN="")

    assert (code, alone) == (0, 1)
    for document in (told, without_token):
        assert has(document, says.AUDIT, more=True)
        assert document["calls"]
        assert all(has(each, says.CALL, more=True) for each in document["calls"])
        assert all(has(each, says.PROBLEM, more=True) for each in document["problems"])
    sent = {each["name"]: each["count"] for each in told["fields_sent"]}
    assert sent["lead_score"] >= 1
    assert datetime.fromisoformat(told["last_pull_at"]) < datetime.now(UTC)
    assert "HUBSPOT_ACCESS_TOKEN" in without_token["problems"][0]["what"]


def test_a_comparison_finds_a_second_task_and_takes_it_away(outside: Outside, grace: Any):
    outside.json("handoff_reconcile")  # what earlier tests have done to tasks by hand
    said = ("hs_task_subject", "hs_task_body", "hubspot_owner_id", "hs_timestamp")
    first = outside.properties("tasks", grace["task_id"], *said)
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TASK_TO_CONTACT}
    link = {"to": {"id": grace["record_id"]}, "types": [kind]}
    second = outside.made("tasks", link, **first)

    planned, plan = outside.json("handoff_reconcile", "--plan")
    _, done = outside.json("handoff_reconcile")
    _, clean = outside.json("handoff_reconcile")

    assert all(has(each, says.COMPARISON, more=True) for each in (plan, done, clean))
    assert (planned, [each["task_id"] for each in plan["duplicate"]]) == (1, [second])
    assert [each["task_id"] for each in done["duplicate"]] == [second]
    assert (clean["duplicate"], clean["missing"]) == ([], [])
    states = ("delivered", "waiting", "needs_attention", "withdrawn")
    assert clean["crossed"] == sum(clean[state] for state in states)


# --- section 5: sequences; section 4: unsubscribing -------------------------------------------
def test_the_printed_sequence_is_taken_listed_and_exported(
    outside: Outside, selling: Selling, tmp_path: Path
):
    _, listed = outside.json("sequence", "list")
    exported = tmp_path / "exported.yaml"
    exported.write_text(outside.run("sequence", "export", "nurture").out)

    code, again = outside.json("sequence", "apply", str(exported))

    assert (selling.applied[0], selling.applied[1]["created"]) == (0, True)
    assert [(each["name"], each["steps"]) for each in listed["sequences"]] == [("nurture", 2)]
    assert (code, again["changed"]) == (0, False)


def test_people_enter_by_hand_and_who_cannot_is_named(outside: Outside, selling: Selling):
    outside.post("contacts", {"email": "hand@seq.example", "first_name": "Hanna"})
    command = ("sequence", "enroll", "nurture", "hand@seq.example", "nobody@seq.example")

    code, told = outside.json(*command)

    assert (code, told["entered"]) == (1, ["hand@seq.example"])
    assert [each["email"] for each in told["refused"]] == ["nobody@seq.example"]
    [mail] = until(lambda: outside.mails("hand@seq.example"))
    assert mail["Subject"] == "Welcome, Hanna"


def test_unsubscribing_takes_a_post_and_ends_all_mail(outside: Outside, selling: Selling):
    email = "quiet@seq.example"
    known(outside, email)
    [mail] = until(lambda: outside.mails(email))
    link = mail["List-Unsubscribe"].strip().strip("<>").removeprefix(outside.stage.web)

    looked = outside.page(link)
    still = outside.contact(email)["enrollments"][0]["state"]
    posted = one_click(outside, link)

    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"/u/[^/]+", link)
    assert (looked.status, still, posted) == (200, "active", 200)
    assert "unsubscribed" in enrollment(outside, email, "stopped")["because"].lower()
    assert one_click(outside, link) == 200
    assert one_click(outside, link[:-1] + ("A" if link[-1] != "A" else "B")) == 404


def one_click(outside: Outside, link: str) -> int:
    """As a mail program does it: no cookie, no page before."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return ask("POST", outside.stage.web + link, b"List-Unsubscribe=One-Click", form).status


# --- section 4: HTTP --------------------------------------------------------------------------
def test_people_come_in_one_by_one_and_many_at_once(outside: Outside):
    one = {"email": "Io@http.example", "external_id": "io-1", "properties": {"size": 3}}
    many = [{"email": "io@http.example"}, {"email": "jo@http.example"}, {"email": "bad"}, 7]

    assert outside.post("contacts", one) == taken(created=1)
    told = outside.post("contacts", many)

    assert told | {"rejected": []} == taken(created=1, unchanged=1)
    assert [(each["index"], each["field"]) for each in told["rejected"]] == [
        (2, "email"),
        (3, "item"),
    ]
    assert all(set(each) == {"index", "field", "message"} for each in told["rejected"])
    assert outside.post("contacts", one | {"company": "Io Ltd"}) == taken(updated=1)


def taken(created: int = 0, updated: int = 0, unchanged: int = 0) -> dict[str, Any]:
    return {"created": created, "updated": updated, "unchanged": unchanged, "rejected": []}


def test_an_event_counts_once_for_each_source_and_the_score_is_up_to_date(
    outside: Outside, selling: Selling
):
    did = {"email": "new@http.example", "type": "webinar", "event_id": "w1"}
    late = {**did, "event_id": "w2", "occurred_at": "2026-11-20T10:00:00"}

    first = outside.post("activities", [did, did, did | {"source": "elsewhere"}, late])
    second = outside.post("activities", did)

    assert (first["accepted"], first["duplicates"]) == (2, 1)
    assert [(each["index"], each["field"]) for each in first["rejected"]] == [(3, "occurred_at")]
    assert second == {"accepted": 0, "duplicates": 1, "rejected": []}
    assert outside.contact("new@http.example")["score"]["total"] == 14


def test_a_contact_is_told_by_id_and_by_address_in_the_shape_of_the_contract(
    outside: Outside, grace: Any
):
    def linked() -> Any:
        found = outside.contact("GRACE@hopper.example")
        return found if found["crm"]["record_id"] else None

    contact = until(linked)

    assert outside.contact(contact["id"]).keys() == contact.keys()
    assert has(contact, says.CONTACT, more=True)
    assert has(contact["score"], says.SCORE)
    assert has(contact["crm"], says.CRM)
    assert (contact["crm"]["record_id"], contact["crm"]["effect"]) == (grace["record_id"], "none")
    assert [has(each, says.ENROLLMENT) for each in contact["enrollments"]] == [True]
    assert [has(each, says.HANDOFF) for each in contact["handoffs"]] == [True]
    score = outside.get(f"contacts/{contact['id']}/score")
    assert (score["total"], score["grade"]) == (contact["score"]["total"], "A1")
    assert score["qualification"] == {"armed": False, "cycle": 1}


@pytest.fixture(scope="module")
def crowd(outside: Outside, selling: Selling) -> list[Any]:
    """105 who crossed and cannot be told of: they have no address. All pages of the ledger."""
    ids = [f"crowd-{number}" for number in range(105)]
    outside.post("contacts", [{**says.PERSON, "external_id": id_} for id_ in ids])
    outside.post("activities", [{"external_id": id_, "type": "demo_request"} for id_ in ids])
    path = "handoffs?status=needs_attention"
    until(lambda: len(pages(outside, path)[0]["handoffs"]) >= 100)
    until(lambda: sum(len(page["handoffs"]) for page in pages(outside, path)) >= 105)
    return pages(outside, path)


def pages(outside: Outside, path: str) -> list[Any]:
    found = [outside.get(path)]
    while cursor := found[-1]["next_cursor"]:
        found.append(outside.get(f"{path}&cursor={cursor}"))
    return found


def test_the_ledger_comes_in_pages_and_each_row_once(crowd: list[Any]):
    rows = [row for page in crowd for row in page["handoffs"]]

    assert all(set(page) == {"handoffs", "next_cursor"} for page in crowd)
    assert len(crowd) > 1
    assert len({row["id"] for row in rows}) == len(rows) >= 105
    assert {row["status"] for row in rows} == {"needs_attention"}
    assert all(has(row, says.HANDOFF) and "e-mail" in row["because"] for row in rows)


def test_the_ledger_is_asked_by_status_and_contact(outside: Outside, grace: Any):
    by_id = outside.get(f"handoffs?contact={grace['contact']}")["handoffs"]
    by_email = outside.get("handoffs?contact=grace@hopper.example&status=delivered")["handoffs"]
    elsewhere = outside.get("handoffs?contact=grace@hopper.example&status=withdrawn")["handoffs"]

    assert by_id == by_email == [grace]
    assert elsewhere == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "contacts", b"{", 400),
        ("POST", "activities", b"not JSON", 400),
        ("POST", "contacts", [{"email": f"n{n}@many.example"} for n in range(1001)], 413),
        ("POST", "activities", b"[" + b" " * 6 * 1024 * 1024 + b"]", 413),
        ("POST", "contacts", {"email": "bad"}, 422),
        ("POST", "contacts", [{"first_name": "Nobody"}, 3], 422),
        ("POST", "activities", {"email": "a@http.example"}, 422),
        ("POST", "activities", {"external_id": "unknown", "type": "x"}, 422),
        ("GET", "contacts/nobody@http.example", None, 404),
        ("GET", "contacts/1/score?at=soon", None, 422),
        ("GET", "handoffs?status=lost", None, 422),
        ("GET", "handoffs?cursor=x", None, 422),
    ],
)
def test_an_error_has_its_status_and_the_one_envelope(
    outside: Outside, method: str, path: str, body: object, status: int
):
    answer = outside.api(method, path, body)

    error = answer.body["error"]
    assert answer.status == status
    assert set(error) == {"code", "message", "fields"}
    assert isinstance(error["fields"], dict)
    assert bool(error["fields"]) == (status == 422)


@pytest.mark.parametrize("key", ["", "wrong", "ls_" + "A" * 43])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "contacts"), ("POST", "activities"), ("GET", "contacts/1"), ("GET", "handoffs")],
)
def test_without_a_key_nothing_is_told_or_taken(outside: Outside, key: str, method: str, path: str):
    body = {"email": "x@http.example", "type": "x"} if method == "POST" else None

    answer = outside.api(method, path, body, key=key)

    assert (answer.status, set(answer.body["error"])) == (401, {"code", "message", "fields"})


@pytest.fixture(scope="module")
def description(outside: Outside) -> Any:
    return json.loads(outside.page("/api/v1/openapi.json").text)


CALLS = {
    ("/api/v1/contacts", "post"),
    ("/api/v1/contacts", "get"),
    ("/api/v1/activities", "post"),
    ("/api/v1/contacts/{who}", "get"),
    ("/api/v1/contacts/{who}/score", "get"),
    ("/api/v1/handoffs", "get"),
}


def test_the_description_has_the_calls_of_the_contract_and_is_sound(description: Any):
    calls = {(path, verb) for path, verbs in description["paths"].items() for verb in verbs}
    references = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(description)))

    assert calls == CALLS
    assert references <= description["components"]["schemas"].keys()
    for schema in description["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for path, verb in CALLS:
        call = description["paths"][path][verb]
        assert {"200", "401", "422", "429"} <= call["responses"].keys()
        assert call["security"]


def test_the_answers_are_as_described(outside: Outside, description: Any, grace: Any):
    who = "grace@hopper.example"
    asked = [
        ("post /api/v1/contacts", outside.api("POST", "contacts", {"email": who})),
        ("post /api/v1/contacts", outside.api("POST", "contacts", {"email": "bad"})),
        ("post /api/v1/contacts", outside.api("POST", "contacts", b"{")),
        ("get /api/v1/contacts", outside.api("GET", "contacts?external_id=nobody")),
        ("post /api/v1/activities", outside.api("POST", "activities", {"email": who, "type": "x"})),
        ("get /api/v1/contacts/{who}", outside.api("GET", f"contacts/{who}")),
        ("get /api/v1/contacts/{who}/score", outside.api("GET", f"contacts/{who}/score")),
        ("get /api/v1/handoffs", outside.api("GET", f"handoffs?contact={who}")),
    ]

    for call, answer in asked:
        verb, path = call.split()
        responses = description["paths"][path][verb]["responses"]
        said = responses[str(answer.status)]["content"]["application/json"]["schema"]
        whole = {**said, "components": description["components"]}
        assert list(Draft202012Validator(whole).iter_errors(answer.body)) == []


def test_the_documentation_page_asks_no_other_site(outside: Outside):
    page = outside.page("/api/v1/docs")

    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert page.status == 200
    assert parts
    assert [part for part in parts if not part.startswith("/")] == []
    assert {outside.page(part).status for part in parts} == {200}


def test_ops_can_see_that_it_lives_is_ready_and_how_it_does(outside: Outside):
    ready = until(lambda: (seen := outside.page("/readyz")).status == 200 and seen)
    metrics = outside.page("/metrics")

    assert outside.page("/healthz").status == 200
    assert ready.body["reasons"] == []
    assert metrics.headers["Content-Type"].startswith("text/plain")
    assert re.search(r"^leadscoring_contacts \d", metrics.text, re.M)


# --- section 4: webhooks ----------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b"not JSON", b"", b"\xff", b"[" * 50_000, b'[{"subscriptionType": "deal.new"}]'],
)
def test_a_webhook_that_is_hubspots_is_taken_whatever_is_inside(outside: Outside, body: bytes):
    assert outside.webhook(body) == 204


def test_a_webhook_that_is_unsigned_wrong_or_stale_is_refused(outside: Outside):
    wrong = outside.webhook(b"[]", secret="another")
    stale = outside.webhook(b"[]", seconds_ago=301)
    ahead = outside.webhook(b"[]", seconds_ago=-3600)
    unsigned = ask("POST", f"{outside.stage.web}/webhooks/hubspot", b"[]")

    assert (wrong, stale, ahead, unsigned.status) == (401, 401, 401, 401)
    assert set(unsigned.body["error"]) == {"code", "message", "fields"}


def test_what_hubspot_sends_when_a_deal_is_made_is_taken(outside: Outside):
    outside.send_webhooks()
    record_id = in_hubspot(outside, "hooked@http.example")
    outside.deal(record_id, "contractsent", "Hooked")

    sent = until(lambda: outside.hubspot("GET", "/sandbox/webhooks"))

    assert {attempt["status"] for attempt in sent} == {204}
    outside.send_webhooks(to="")
