import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser, Group
from django.utils.timezone import now

from crm_sync.models import Handoff
from leadscoring import api_keys, publishing, scoring
from leadscoring.admin import dashboard
from leadscoring.admin.contact_page import (
    contact_page_context,
    ordinal,
    qualification_sentence,
)
from leadscoring.admin.mail_state import with_mail_bans
from leadscoring.engine import Thresholds
from leadscoring.extensions import contact_questions
from leadscoring.intake import take_activities, take_contacts
from leadscoring.models import (
    Activity,
    ApiKey,
    Contact,
    CrmFreshness,
    CrmState,
    ModelVersion,
    ProfileChange,
    Score,
)
from tests.admin_pages import HOSTILE, act, as_, as_superuser, page
from tests.bench import crowd

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
THRESHOLDS = Thresholds(mql=40, handoff=70, rearm_below=55, cooldown_days=30)


# --- lists


def test_quiet_people_did_nothing_for_30_days() -> None:
    take_contacts([{"email": "never@example.com"}], NOON)
    for email, days in (("long@example.com", 31), ("lately@example.com", 29)):
        item = {
            "email": email,
            "type": "page_view",
            "occurred_at": str(NOON - timedelta(days=days)),
        }
        take_activities([item], "test", NOON)

    quiet = contact_questions["quiet"].answer(Contact.objects.all(), NOON)

    assert {contact.email for contact in quiet} == {"never@example.com", "long@example.com"}


# --- hostile input


def test_nothing_that_people_sent_us_is_mark_up_on_any_page() -> None:
    person = {"email": "evil@example.com", "first_name": HOSTILE[:200], "company": HOSTILE, "job_title": HOSTILE,
              "properties": {HOSTILE[:80]: HOSTILE}}  # fmt: skip
    at = now()
    take_contacts([person], at)
    take_activities(
        [{"email": "evil@example.com", "type": "demo_request", "properties": {"url": HOSTILE}}],
        HOSTILE[:90],
        at,
    )
    contact = Contact.objects.get()
    handoff = Handoff.objects.create(
        contact=contact, cycle=7, reference="LS-1", total=80, grade="A1", crossed_at=at, due_at=at,
        reason=HOSTILE, status="needs_attention", left_out={HOSTILE: HOSTILE}, owner_id=HOSTILE,
        reasons=[{"label": HOSTILE, "because": HOSTILE, "points": 1, "group": "fit"}],
    )  # fmt: skip
    CrmState.objects.update_or_create(contact=contact, defaults={
        "effect": "pause", "reason": HOSTILE, "since": at, "seen_at": at, "owner_name": HOSTILE,
        "record_url": "javascript:alert(1)", "deals": [{"name": HOSTILE, "stage": HOSTILE}]})  # fmt: skip
    client = as_superuser()

    pages = [client.get(address).content.decode() for address in (
        "/admin/", page("leadscoring.contact"), page("leadscoring.contact", contact.pk),
        page("leadscoring.company"), page("leadscoring.activity"),
        page("leadscoring.activity", Activity.objects.latest("pk").pk),
        page("crm_sync.handoff"), page("crm_sync.handoff", handoff.pk))]  # fmt: skip
    pages.append(act(client, "crm_sync.handoff", "withdraw", handoff.pk))

    for shown_page in pages:
        assert "alert(1)</script>" not in shown_page
        assert "javascript:alert" not in shown_page
        assert "14\u202eevil" not in shown_page


# --- home


@pytest.mark.parametrize(
    ("age", "good", "words"),
    [
        (None, False, "has not been read yet"),
        (40, True, "HubSpot read 40 s ago"),
        (1_860, False, "HubSpot read 31 min ago, too long"),
    ],
)
def test_home_says_how_fresh_the_crms_state_is(age: int | None, good: bool, words: str) -> None:
    if age is not None:
        for kind in CrmFreshness.Kind:
            CrmFreshness.objects.create(kind=kind, as_of=NOON - timedelta(seconds=age))

    freshness = dashboard.freshness_line(NOON)

    assert (freshness.good, words in freshness.sentence) == (good, True)


def test_home_asks_as_many_queries_for_many_people_as_for_few(
    django_assert_max_num_queries: object,
) -> None:
    list(crowd.make(300, now()))
    client = as_superuser()
    client.get("/admin/")

    with django_assert_max_num_queries(31):  # type: ignore[operator]  # one notes whom it shows
        client.get("/admin/")


# --- a contact's page


def test_a_contacts_page_explains_the_score_rule_by_rule() -> None:
    at = now()
    take_contacts(
        [{"email": "ada@example.com", "job_title": "VP Marketing", "company": "Engines"}], at
    )
    take_activities([{"email": "ada@example.com", "type": "demo_request"}], "web", at)
    contact = Contact.objects.get()

    told = as_superuser().get(page("leadscoring.contact", contact.pk)).content.decode()

    assert "Senior job title: VP Marketing" in told
    assert "Asked for a demo on " in told
    assert "Ready for sales since" in told
    assert "demo_request" in told


@pytest.mark.parametrize(("days_known", "points"), [(0, 1), (3, 2), (15, 4), (80, 9)])
def test_the_line_of_the_score_begins_when_somebody_was_first_known(
    days_known: int, points: int
) -> None:
    take_contacts(
        [{"email": "ada@example.com", "job_title": "CEO"}], NOON - timedelta(days=days_known)
    )

    chart = contact_page_context(
        with_mail_bans(Contact.objects.all()).get(), AnonymousUser(), NOON
    )["chart"]

    drawn = [dot["point"].total for dot in chart["dots"]]
    assert (len(drawn), min(drawn)) == (points, max(drawn))
    assert chart["dots"][0]["x"] == max(0, round(320 - 320 * days_known / 56, 1))


def test_a_contacts_page_says_that_the_crm_was_not_asked() -> None:
    take_contacts([{"email": "ada@example.com"}], now())

    told = (
        as_superuser().get(page("leadscoring.contact", Contact.objects.get().pk)).content.decode()
    )

    assert "It has said nothing of them, so no sequence mail is sent to them." in told


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (None, "Not scored yet"),
        (Score(total=61.5), "8.5 below the 70 that hand them to sales."),
        (Score(total=20, cycle=1, crossed_at=NOON - timedelta(days=60)), "50 below the 70 that hand them to sales again."),
        (Score(total=0, disqualified=True), "Disqualified"),
        (Score(total=75), "next look at all scores"),
        (Score(total=75, armed=False, cycle=1, crossed_at=NOON), "Ready for sales since 4 May. Sales hears of them "
         "again after the score has been below 55, not before 3 June, and risen once more."),
        (Score(total=75, armed=False, cycle=2, crossed_at=NOON - timedelta(days=31)), "for the 2nd time. Sales "
         "hears of them again after the score has been below 55 and risen once more."),
    ],
)  # fmt: skip
def test_where_somebody_stands_is_said_in_words(score: Score | None, words: str) -> None:
    assert words in qualification_sentence(score, THRESHOLDS, NOON)


def test_ordinals_are_english() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]  # fmt: skip


# --- editing a contact


FORM = {"email": "ada@example.com", "external_id": "", "first_name": "Ada", "last_name": "Lovelace",
        "company_name": "Engines", "job_title": "", "phone": "", "country": "", "properties": "{}"}  # fmt: skip


def test_a_contact_made_by_hand_is_scored_and_remembered() -> None:
    answer = as_("Marketing").post(
        page("leadscoring.contact") + "add/", FORM | {"job_title": "VP Sales"}
    )

    contact = Contact.objects.get()
    assert answer.status_code == 302
    assert (contact.name, str(contact.company)) == ("Ada Lovelace", "Engines")
    assert Score.objects.get(contact=contact).fit > 0
    assert ProfileChange.objects.get().fields["job_title"] == "VP Sales"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({"email": "Ada@Example.com"}, "ada@example.com"),
        ({"email": "ada@xn--mnchen-3ya.de"}, "ada@münchen.de"),
        ({"email": "", "external_id": "e\u0301"}, "\u00e9"),
    ],
)
def test_an_identifier_is_stored_as_by_all_other_ways(typed: dict[str, str], stored: str) -> None:
    client, address = as_("Marketing"), page("leadscoring.contact") + "add/"
    answers = [client.post(address, FORM | typed).status_code for _ in range(2)]

    contact = Contact.objects.get()
    assert stored in (contact.email, contact.external_id)
    assert answers == [302, 200]  # then somebody has it already


@pytest.mark.parametrize(
    "typed", ["[" * 100_000, "1" * 5_000, '{"a": "\\ud800"}', '{"a": "\\u0000"}']
)
def test_properties_that_cannot_be_kept_are_refused_with_a_sentence(typed: str) -> None:
    answer = as_("Marketing").post(
        page("leadscoring.contact") + "add/", FORM | {"properties": typed}
    )

    assert answer.status_code == 200
    assert "Write JSON without control characters" in answer.content.decode()
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("label", "query"),
    [
        ("sequences.suppression", "reason=%00"),
        ("leadscoring.activity", "source=%00"),
        ("sequences.enrollment", "state=%00"),
        ("crm_sync.fieldmapping", "direction=%00"),
        ("leadscoring.contact", "q=%00"),
        ("leadscoring.contact", "email__regex=((("),
    ],
)
def test_what_cannot_be_looked_up_is_told_and_breaks_nothing(label: str, query: str) -> None:
    answer = as_superuser().get(f"{page(label)}?{query}", follow=True)

    assert answer.status_code in (200, 400)


def test_who_may_only_look_sees_the_company() -> None:
    take_contacts([{"email": "ada@example.com", "company": "Fern Foods"}], NOON)

    told = as_("Operations").get(page("leadscoring.contact", Contact.objects.get().pk))

    assert told.content.decode().count("Fern Foods") >= 2  # above, and among the fields


def test_a_change_by_hand_is_kept_with_its_time_and_scored() -> None:
    take_contacts(
        [{"email": "ada@example.com", "properties": {"company_size": 5, "plan": "free"}}], NOON
    )
    contact = Contact.objects.get()
    changed = FORM | {"job_title": "VP Sales", "properties": json.dumps({"company_size": 500})}

    as_("Marketing").post(page("leadscoring.contact", contact.pk), changed)

    contact.refresh_from_db()
    assert contact.properties == {"company_size": 500}
    assert ProfileChange.objects.count() == 2
    assert Score.objects.get(contact=contact).fit == 45 - 5  # VP, mid size, company; capped at 40
    assert LogEntry.objects.filter(object_id=str(contact.pk)).exists()


def test_the_only_identifier_of_a_contact_stays_until_there_is_another() -> None:
    take_contacts([{"email": "ada@example.com"}], NOON)
    client, contact = as_("Marketing"), Contact.objects.get()
    address = page("leadscoring.contact", contact.pk)

    client.post(address, FORM | {"email": "other@example.com"})
    alone = Contact.objects.get().email
    client.post(address, FORM | {"external_id": "crm-7"})
    client.post(address, FORM | {"email": "other@example.com", "external_id": "crm-7"})

    contact.refresh_from_db()
    assert alone == "ada@example.com"
    assert (contact.email, contact.external_id) == ("other@example.com", "crm-7")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"email": "no address"}, "Enter a valid email address"),
        ({"email": "", "external_id": ""}, "one of them is needed"),
        ({"email": "taken@example.com"}, "already exists"),
        ({"first_name": "Ada\u2028Eve"}, "control character"),
        ({"properties": "[1]"}, "must be an object"),
        ({"properties": "{"}, "valid JSON"),
        ({"properties": json.dumps({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}})}, "nested"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_with_its_field(
    wrong: dict[str, str], words: str
) -> None:
    take_contacts([{"email": "taken@example.com"}], NOON)

    answer = as_superuser().post(page("leadscoring.contact") + "add/", FORM | wrong)

    assert words in answer.content.decode()
    assert Contact.objects.count() == 1


# --- scoring models


def a_draft(of: str = "points: 25", becomes: str = "points: 26") -> ModelVersion:
    source = publishing.STARTING_MODEL.read_text().replace(of, becomes)
    return publishing.apply_draft(source)[0]


def test_a_model_is_told_in_sentences() -> None:
    version = ModelVersion.objects.get()

    told = as_("Marketing").get(page("leadscoring.modelversion", version.pk)).content.decode()

    assert "20 points for each reply, halved every 21 days, at most 30 in all" in told
    assert "from 70; ready again below 55, not within 30 days" in told


def test_a_published_model_cannot_be_changed_or_deleted() -> None:
    client, version = as_superuser(), ModelVersion.objects.get()

    answers = [client.post(page("leadscoring.modelversion", version.pk), {"source": "name: x"}),
               client.post(page("leadscoring.modelversion", version.pk, "delete"), {"post": "yes"})]  # fmt: skip

    assert [answer.status_code for answer in answers] == [403, 403]
    assert ModelVersion.objects.get().source == version.source


def test_a_draft_that_cannot_be_is_refused_with_its_line() -> None:
    source = publishing.STARTING_MODEL.read_text().replace("points: 25", "points: many")
    line = source[: source.index("points: many")].count("\n") + 1

    answer = as_("Marketing").post(page("leadscoring.modelversion") + "add/", {"source": source})

    assert f"line {line}" in answer.content.decode()
    assert ModelVersion.objects.count() == 1


def test_a_new_draft_starts_from_the_version_it_is_made_of() -> None:
    version = ModelVersion.objects.get()

    form = (
        as_("Marketing")
        .get(f"{page('leadscoring.modelversion')}add/?of={version.pk}")
        .context["adminform"]
        .form
    )

    assert form.initial["source"] == version.source


def test_a_draft_is_saved_and_changed_in_place() -> None:
    client = as_("Marketing")
    first = publishing.STARTING_MODEL.read_text().replace("points: 25", "points: 26")
    client.post(page("leadscoring.modelversion") + "add/", {"source": first.replace("\n", "\r\n")})
    draft = ModelVersion.objects.get(published_at=None)

    client.post(
        page("leadscoring.modelversion", draft.pk),
        {"source": first.replace("points: 26", "points: 27")},
    )

    draft.refresh_from_db()
    assert (draft.version, "points: 27" in draft.source, "\r" in draft.source) == (2, True, False)


def test_a_draft_does_not_take_the_name_of_another_model() -> None:
    draft = a_draft()

    answer = as_superuser().post(page("leadscoring.modelversion", draft.pk),
                                 {"source": draft.source.replace("name: default", "name: other")})  # fmt: skip

    assert "must stay default" in answer.content.decode()


@pytest.mark.parametrize(("choice", "quiet"), [("quiet", True), ("tell", False), ("", True)])
def test_publishing_tells_sales_only_when_that_was_chosen(choice: str, quiet: bool) -> None:
    draft = a_draft()

    as_("Marketing").post(
        page("leadscoring.modelversion", draft.pk, "publish"), {"crossings": choice}
    )

    draft.refresh_from_db()
    assert (bool(draft.published_at), draft.quiet) == (True, quiet)


def test_publishing_shows_its_progress_until_all_scores_have_followed() -> None:
    take_contacts([{"email": f"p{n}@example.com"} for n in range(2)], now())
    client, draft = as_superuser(), a_draft()
    client.post(
        f"{page('leadscoring.modelversion', draft.pk)[:-7]}publish/", {"crossings": "quiet"}
    )
    pages = [
        page("leadscoring.modelversion", draft.pk),
        "/admin/",
        "/admin/leadscoring/modelversion/progress/",
    ]

    during = [client.get(address).content.decode() for address in pages]
    scoring.refresh_scores(now(), seconds=0)
    after = [client.get(address).content.decode() for address in pages]

    assert all("0 of 2 people are scored by" in shown and "every 3s" in shown for shown in during)
    assert "2 of 2 people" in after[2]
    assert not any("every 3s" in shown for shown in after)


def test_a_preview_of_many_says_that_it_is_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    take_contacts([{"email": f"p{n}@example.com"} for n in range(5)], now())
    draft = a_draft()
    address = f"{page('leadscoring.modelversion', draft.pk)[:-7]}publish/"

    whole = as_superuser().get(address).content.decode()
    monkeypatch.setattr("leadscoring.admin.scoring.PREVIEWED", 2)
    partly = as_("Marketing").get(address).content.decode()

    assert "all 5 people" in whole
    assert "a random sample: 2 of 5 people" in partly


def test_who_may_only_read_models_publishes_none() -> None:
    draft, client = a_draft(), as_("Operations")

    answers = [client.get(page("leadscoring.modelversion", draft.pk, "publish")),
               client.post(page("leadscoring.modelversion", draft.pk, "publish"))]  # fmt: skip

    draft.refresh_from_db()
    assert [answer.status_code for answer in answers] == [403, 403]
    assert draft.published_at is None


def test_a_model_is_published_once() -> None:
    version = ModelVersion.objects.get()

    answer = as_superuser().post(
        page("leadscoring.modelversion", version.pk, "publish"), follow=True
    )

    assert "was published on" in answer.content.decode()


# --- keys


def test_a_key_is_shown_once_and_kept_nowhere() -> None:
    client = as_("Operations")

    told = client.post(page("leadscoring.apikey") + "add/", {"name": "website"})
    later = client.get(page("leadscoring.apikey")).content.decode()

    text = told.context["key"]
    key = api_keys.find_key(text)
    assert key is not None
    assert text in told.content.decode()
    assert text not in later
    assert text not in json.dumps(list(client.session.items())) + str(client.cookies)
    assert told["Cache-Control"].startswith("max-age=0")


def test_of_a_key_only_the_name_can_be_changed() -> None:
    key, text = api_keys.create_key("website")

    as_("Operations").post(
        page("leadscoring.apikey", key.pk), {"name": "shop", "hash": "x", "prefix": "x"}
    )

    key.refresh_from_db()
    assert (key.name, key.hash) == ("shop", api_keys.hash_key(text))


def test_a_revoked_key_lets_nobody_in() -> None:
    key, text = api_keys.create_key("website")
    client = as_("Operations")

    asked = act(client, "leadscoring.apikey", "revoke", key.pk)
    still_in = api_keys.find_key(text)
    act(client, "leadscoring.apikey", "revoke", key.pk, confirmed="yes")

    assert "cannot be undone" in asked
    assert still_in
    assert api_keys.find_key(text) is None


def test_marketing_sees_no_keys() -> None:
    key, _ = api_keys.create_key("website")

    client = as_("Marketing")
    act(client, "leadscoring.apikey", "revoke", key.pk, confirmed="yes")

    key.refresh_from_db()
    assert key.revoked_at is None


def test_groups_have_only_permissions_that_exist() -> None:
    from leadscoring.initial_data import GROUPS

    granted = {name: {f"{p.content_type.app_label}.{p.codename}" for p in Group.objects.get(name=name).permissions.all()}
               for name in GROUPS}  # fmt: skip

    assert granted == {name: set(permissions) for name, permissions in GROUPS.items()}


def test_no_key_is_named_as_what_this_program_tells_of_itself() -> None:
    told = as_superuser().post(page("leadscoring.apikey") + "add/", {"name": "sequences"})

    assert "own; choose another" in told.content.decode()
    assert not ApiKey.objects.exists()
