"""What the rep reads."""

import re
from datetime import timedelta

import pytest

from crm_sync.mapping import task_text
from crm_sync.mapping.contact_facts import SequenceRun, load_contact_facts
from crm_sync.mapping.lead_link import lead_url
from crm_sync.port import HtmlText, Paragraph, PlainText
from leadscoring.engine.wording import capped_note
from leadscoring.models import Activity
from tests.crm_sync.makers import MONDAY, PRICING, TITLE, a_contact, a_handoff, a_score, numbers

pytestmark = pytest.mark.django_db


def an_activity(contact, type_="page_view", days=1, **properties):
    return Activity.objects.create(
        contact=contact,
        source="test",
        event_id=str(next(numbers)),
        type=type_,
        occurred_at=MONDAY - timedelta(days=days),
        properties=properties,
    )


class HtmlOf255(HtmlText):
    __slots__ = ()
    longest = 255


class PlainOf255(PlainText):
    __slots__ = ()
    longest = 255


def body_of(row, form=HtmlOf255):
    known = load_contact_facts([row.contact_id], MONDAY)[row.contact_id]
    return task_text.task_body(row, known, form)


def ada(**fields):
    given = {
        "first_name": "Ada",
        "last_name": "Byron",
        "job_title": "VP Engineering",
        "company": "Engines",
    }
    return a_contact("ada@engines.example", **(given | fields))


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({}, "Hot lead: Ada Byron, Engines (score 82, A1)"),
        ({"company": ""}, "Hot lead: Ada Byron (score 82, A1)"),
        ({"last_name": ""}, "Hot lead: Ada, Engines (score 82, A1)"),
        (
            {"first_name": "", "last_name": ""},
            "Hot lead: ada@engines.example, Engines (score 82, A1)",
        ),
        (
            {"first_name": "A\nda", "company": "En\r\ngines\0"[:-1]},
            "Hot lead: A da Byron, En gines (score 82, A1)",
        ),
    ],
)
def test_the_subject_names_who_and_how_hot(fields, subject):
    assert task_text.task_subject(a_handoff(ada(**fields), total=82.4)) == subject


def test_the_reference_stands_in_the_text_once():
    """Who counts tasks by it counts each once."""
    row = a_handoff(ada())

    assert body_of(row).count(row.reference) == 1


def test_the_body_tells_all_that_the_contract_lists():
    contact = ada(phone="+49 30 123 45-67")
    an_activity(contact, url="https://x.example/pricing?token=secret")
    row = a_handoff(contact)

    body = body_of(row)

    assert re.sub("#text-[0-9a-f]{8}", "", body) == (
        "<p>Call +49 30 123 45-67 or write to ada@engines.example</p>"
        "<p>When handed over on 4 May, Ada Byron (VP Engineering, Engines) had a score of 82:</p>"
        "<ul><li>Visited pricing 3 times, last on 3 May (+30)</li>"
        "<li>Senior job title: VP Engineering (+20)</li></ul>"
        "<p>Fit A, engagement 1 on that day (A and 1 are best). "
        "Senior job title: VP Engineering</p>"
        "<p>Recently:</p><ul><li>3 May: page view /pricing</li></ul>"
        f'<p><a href="{lead_url(row, MONDAY)}">'
        "More about Ada Byron (opens without a log-in until 3 June)</a></p>"
        f"<p>ref {row.reference}</p>"
    )


@pytest.mark.parametrize(
    ("phone", "email", "line"),
    [
        ("+49 30 1234567", "a@b.example", "Call +49 30 1234567 or write to a@b.example"),
        ("030 1234567", None, "Call 030 1234567"),
        ("", "a@b.example", "Write to a@b.example (no phone number is known)"),
        ("", None, "No phone number and no e-mail is known"),
    ],
)
def test_the_first_line_says_how_to_reach_them(phone, email, line):
    row = a_handoff(a_contact(email, phone=phone))

    assert body_of(row, PlainOf255).split("\n")[0] == line


def test_a_hostile_number_or_address_is_words_alone():
    row = a_handoff(a_contact('"><b>@x.example', phone='<script>"'))

    line = body_of(row).partition("</p>")[0]

    assert line == "<p>Call &lt;script&gt;&quot; or write to &quot;&gt;&lt;b&gt;@x.example"


def test_figures_of_a_text_brought_up_to_date_are_those_of_that_day():
    row = a_handoff(ada())
    row.delivered_at, row.crossed_at = MONDAY, MONDAY + timedelta(days=2)

    assert task_text.introduction(row) == (
        "On 6 May, Ada Byron (VP Engineering, Engines) had a score of 82"
    )


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://x.example/pricing?token=secret", "/pricing"),
        ("https://x.example/", "“x.example”"),
        ("https://x.example?token=secret", "“x.example”"),
        ("/pricing?token=secret", "/pricing"),
        ("Welcome", "“Welcome”"),
        ("http://[", "“http://[”"),
    ],
)
def test_a_page_is_told_by_its_path_and_a_site_by_its_name(address, said):
    assert task_text.activity_detail({"url": address}) == said


def test_only_the_three_strongest_reasons_are_told():
    weak = [
        {**PRICING, "rule": f"r{points}", "because": f"Weak {points}", "points": points}
        for points in (1, 2, 3)
    ]
    row = a_handoff(ada(), reasons=[*weak, TITLE, PRICING])

    told = task_text.strongest_reasons(row)

    assert told == [
        "Visited pricing 3 times, last on 3 May (+30)",
        "Senior job title: VP Engineering (+20)",
        "Weak 3 (+3)",
    ]


def test_what_speaks_against_the_fit_is_told_too():
    small = {**TITLE, "because": "Very small company", "points": -5.0}

    assert task_text.fit_line(a_handoff(ada(), reasons=[small, TITLE])) == (
        "Fit A, engagement 1 on that day (A and 1 are best). "
        "Senior job title: VP Engineering; Very small company (−5)"
    )


def test_what_they_did_that_took_points_off_is_told_too():
    left = {**PRICING, "because": "Unsubscribed on 3 May", "points": -25.0}
    jobs = {**PRICING, "because": "Looked at jobs on 2 May", "points": -15.0}

    told = task_text.negative_reasons(a_handoff(ada(), reasons=[PRICING, TITLE, jobs, left]))

    assert told == ["Unsubscribed on 3 May (−25)", "Looked at jobs on 2 May (−15)"]


def test_nothing_is_told_of_the_models_caps():
    cut = {**PRICING, "because": PRICING["because"] + capped_note(1234.5, 60), "points": 10.14}

    assert task_text.strongest_reasons(a_handoff(ada(), reasons=[cut])) == [
        "Visited pricing 3 times, last on 3 May (+10)"
    ]


def test_nobody_is_told_a_reason_that_weighs_nothing():
    faint, faintly_against = {**PRICING, "points": 0.3}, {**PRICING, "points": -0.3}
    row = a_handoff(ada(), reasons=[faint, faintly_against])

    assert task_text.strongest_reasons(row) == task_text.negative_reasons(row) == []
    assert (
        "<p>When handed over on 4 May, Ada Byron (VP Engineering, Engines) had a score of 82.</p>"
        in body_of(row)
    )


def test_without_facts_the_rep_is_told_so():
    body = body_of(a_handoff(ada(), reasons=[PRICING], grade="D1"))

    assert "Fit D, engagement 1 on that day (A and 1 are best). Nothing known of the person" in body
    assert "<p>Nothing is known of what they did.</p>" in body


def test_a_record_says_what_disqualifies():
    contact = ada()
    rival = {**TITLE, "because": "Competitor: rival.example (disqualified)", "points": 0.0}
    a_score(contact, total=0.0, disqualified=True, grade="D4", contributions=[rival])

    known = load_contact_facts([contact.pk], MONDAY)[contact.pk]

    assert task_text.all_reasons(known) == "Competitor: rival.example (disqualified)"


def test_a_mail_of_ours_is_nothing_that_they_did():
    contact = ada()
    an_activity(contact, "email_sent", subject="Welcome")
    an_activity(contact, "email_open", days=2, subject="Welcome, Ada")

    assert task_text.activity_lines(load_contact_facts([contact.pk], MONDAY)[contact.pk]) == [
        "2 May: email open “Welcome, Ada”"
    ]


def test_nothing_that_people_typed_is_markup():
    contact = ada(
        first_name="<b>Mal", last_name='" onload="x', job_title="<svg>", company="<script>"
    )
    an_activity(contact, "<img src=x>", url="<iframe>")
    row = a_handoff(contact, reasons=[{**PRICING, "because": "<script>alert(1)</script>"}])

    body = body_of(row)

    assert not any(
        tag in body for tag in ("<b>", "<svg>", "<script>", "<img", "<iframe", '" onload')
    )


def test_however_long_the_facts_the_texts_are_bounded():
    contact = ada(first_name="x" * 200, last_name="<" * 200, job_title="&" * 200, company="y" * 200)
    for days in range(1, 9):
        an_activity(contact, "t" * 100, days, title="<" * 10_000)
    row = a_handoff(contact, reasons=[{**PRICING, "because": "<" * 10_000}] * 5)

    assert len(task_text.task_subject(row)) <= 255
    assert len(body_of(row)) <= 65_536


def test_an_activity_that_came_five_times_a_day_is_said_once():
    contact = ada()
    for _ in range(3):
        an_activity(contact, url="/pricing")

    assert task_text.activity_lines(load_contact_facts([contact.pk], MONDAY)[contact.pk]) == [
        "3 May: page view /pricing"
    ]


def test_many_of_one_kind_do_not_hide_the_others():
    contact = ada()
    an_activity(contact, "demo_request", days=2)
    for _ in range(12):
        an_activity(contact, url="/pricing")

    assert task_text.activity_lines(load_contact_facts([contact.pk], MONDAY)[contact.pk]) == [
        "3 May: page view /pricing",
        "2 May: demo request",
    ]


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (SequenceRun("nurture", "active", "", 0, None), "nurture: no mails sent, still under way"),
        (
            SequenceRun("nurture", "finished", "", 1, MONDAY),
            "nurture: 1 mail sent, last on 4 May, finished",
        ),
        (
            SequenceRun("nurture", "paused", "Deal “Acme” is in Negotiation (Sales)", 2, MONDAY),
            "nurture: 2 mails sent, last on 4 May, paused (Deal “Acme” is in Negotiation (Sales))",
        ),
    ],
)
def test_a_sequence_in_a_line(run, line):
    known = load_contact_facts([ada().pk], MONDAY).popitem()[1]

    assert task_text.run_line(run, known) == line


def test_dossiers_cost_four_queries_whatever_their_number(django_assert_num_queries):
    contacts = [a_contact() for _ in range(20)]
    for contact in contacts:
        an_activity(contact)

    with django_assert_num_queries(4):
        known = load_contact_facts([contact.pk for contact in contacts], MONDAY)

    assert all(len(each.recent) == 1 for each in known.values())


def test_a_dossier_knows_nothing_later_than_its_instant():
    contact = ada()
    an_activity(contact, days=-1)

    assert load_contact_facts([contact.pk], MONDAY)[contact.pk].recent == []


# --- a text that is kept up to date


FORMS = pytest.mark.parametrize("form", [HtmlOf255, PlainOf255])


@FORMS
def test_a_text_is_ours_until_a_person_changes_a_word_of_it(form):
    body = body_of(a_handoff(ada()), form)

    assert task_text.is_unedited(body)
    assert not task_text.is_unedited(form(body.replace("had a score", "has a score")))
    assert not task_text.is_unedited(form(f"{body}\nRang, no answer"))
    assert not task_text.is_unedited(form(""))


def test_other_mark_up_and_white_space_leave_a_text_ours():
    row = a_handoff(ada())
    html, plain = body_of(row, HtmlOf255), body_of(row, PlainOf255)

    assert task_text.is_unedited(
        HtmlOf255(f'<div dir="auto">{html}</div>'.replace("</p>", "</p>\n"))
    )
    assert task_text.is_unedited(
        HtmlOf255(html.replace("&quot;", '"').replace(" ", "&nbsp;", 1).replace("&nbsp;", " "))
    )
    assert task_text.is_unedited(PlainOf255(plain.replace("\n", "\r\n")))


@FORMS
def test_what_somebody_typed_cannot_pass_for_our_mark(form):
    contact = ada(first_name="https://x.example/#text-00000000")

    assert task_text.is_unedited(body_of(a_handoff(contact), form))


@FORMS
def test_a_text_leads_to_the_contacts_page_here_and_to_no_other(form):
    row = a_handoff(ada())
    body, contact_id = body_of(row, form), row.contact_id

    assert task_text.leads_here(body, contact_id)
    assert task_text.leads_here(body)
    assert not task_text.leads_here(body, contact_id * 10)
    assert not task_text.leads_here(form(body.replace("testserver", "other.example")))
    assert not task_text.leads_here(form(f"ref {row.reference}"))


@FORMS
def test_so_does_a_text_of_an_earlier_release(form):
    page = "http://testserver/admin/leadscoring/contact/7/change/#text-00000000"
    body = form.render([Paragraph("See all that is known of Ada", page)])

    assert task_text.leads_here(body, 7)
    assert not task_text.leads_here(body, 70)


def test_a_text_without_mark_up_reads_as_people_write_mails():
    contact = ada()
    an_activity(contact, url="https://x.example/pricing?token=secret")
    row = a_handoff(contact)

    body = body_of(row, PlainOf255)

    assert re.sub("#text-[0-9a-f]{8}", "", body) == (
        "Write to ada@engines.example (no phone number is known)\n"
        "\n"
        "When handed over on 4 May, Ada Byron (VP Engineering, Engines) had a score of 82:\n"
        "- Visited pricing 3 times, last on 3 May (+30)\n"
        "- Senior job title: VP Engineering (+20)\n"
        "\n"
        "Fit A, engagement 1 on that day (A and 1 are best). Senior job title: VP Engineering\n"
        "\n"
        "Recently:\n"
        "- 3 May: page view /pricing\n"
        "\n"
        "More about Ada Byron (opens without a log-in until 3 June): "
        f"{lead_url(row, MONDAY)}\n"
        "\n"
        f"ref {row.reference}"
    )


@pytest.mark.parametrize(
    ("form", "before", "after"),
    [
        (
            HtmlOf255,
            "<p>Ada</p>",
            "<p>Nothing to do any more: Already a &lt;customer&gt;.</p><p>Ada</p>",
        ),
        (PlainOf255, "Ada", "Nothing to do any more: Already a <customer>.\n\nAda"),
    ],
)
def test_a_closed_task_says_why_before_all_else(form, before, after):
    body = task_text.closed_body("Already a <customer>.", form(before))

    assert body == after
    assert task_text.is_closed_body(body)
    assert task_text.is_closed_body(form(f"\n{body}"))


@FORMS
def test_a_closed_text_is_as_long_as_the_crm_keeps(form):
    assert len(task_text.closed_body("Why", form("x" * 255))) == 255


@FORMS
def test_what_somebody_typed_cannot_close_a_task(form):
    contact = ada(first_name="Nothing to do any more:", last_name="")
    an_activity(contact, title="Nothing to do any more: ha")

    assert not task_text.is_closed_body(body_of(a_handoff(contact), form))
