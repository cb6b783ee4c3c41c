from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils.timezone import now

from leadscoring.models import Contact
from sequences import enrolling
from sequences.admin.sequences import WaitField
from sequences.apply_file import apply_sequence
from sequences.archiving import archive_sequences
from sequences.models import Delivery, Enrollment, EnrollmentChange, Sequence, Step, Suppression
from sequences.sequence_file import SequenceDefinition, StepDefinition
from tests.admin_pages import HOSTILE, act, as_, as_superuser, page
from tests.sequences.makers import (
    DAY,
    NOON,
    a_contact,
    a_mailable_contact,
    a_sequence,
    again,
    an_enrollment,
    crm_says,
)

pytestmark = pytest.mark.django_db


def enrolled(sequence: Sequence, count: int = 1) -> list[Enrollment]:
    """People who are asked for and may be written to, in a sequence since yesterday."""
    at = now()
    rows = []
    for _ in range(count):
        contact = a_contact()
        crm_says(contact, "none", at=at)
        rows.append(
            Enrollment.objects.create(
                contact=contact,
                sequence=sequence,
                by="its rule",
                next_at=at + DAY,
                entered_at=at,
                changed_at=at,
            )
        )
    return rows


def a_mail(row: Enrollment, state: str, **fields: object) -> Delivery:
    given = {"position": 1, "email": row.contact.email, "state": state, "reason": "" if state == "sent" else "Why",
             "message_id": f"<{row.pk}@test>", "claimed_at": now(), "sent_at": now() if state == "sent" else None}  # fmt: skip
    return Delivery.objects.create(enrollment=row, **(given | fields))


# --- enrollments


@pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("stop", "stopped")])
def test_a_person_pauses_or_stops_with_a_reason_and_their_name(verb: str, state: str) -> None:
    row, client = enrolled(a_sequence())[0], as_("Marketing")

    asked = act(client, "sequences.enrollment", verb, row.pk)
    unexplained = act(client, "sequences.enrollment", verb, row.pk, confirmed="yes", reason="  ")
    act(client, "sequences.enrollment", verb, row.pk, confirmed="yes", reason="On holiday")

    row.refresh_from_db()
    assert "Why?" in asked
    assert "Say why first" in unexplained
    assert (row.state, row.reason, row.by) == (state, "On holiday", "Marketing")
    assert EnrollmentChange.objects.count() == 1


def test_the_question_before_a_verb_names_the_person_and_leads_back() -> None:
    row = enrolled(a_sequence())[0]
    pressed = {"action": "stop", "_selected_action": [row.pk], "from_page": "yes", "index": "0"}

    told = as_("Marketing").post(page("sequences.enrollment"), pressed).content.decode()

    assert f"{row.contact} in {row.sequence} (active)" in told
    assert f'href="{page("sequences.enrollment", row.pk)}">Cancel' in told


def test_resuming_goes_on_where_the_crm_allows_it() -> None:
    free, held = enrolled(a_sequence(), 2)
    for row in (free, held):
        row.pause(now(), "By hand", "kim")
        row.save()
    crm_says(held.contact, "pause", at=now())

    said = act(as_("Marketing"), "sequences.enrollment", "resume", free.pk, held.pk)

    states = dict(Enrollment.objects.values_list("pk", "state"))
    assert states == {free.pk: "active", held.pk: "paused"}
    assert "1 under way again; 1 not" in said


def test_whoever_may_only_look_steers_nothing() -> None:
    row, client = enrolled(a_sequence())[0], as_("Operations")

    act(client, "sequences.enrollment", "stop", row.pk, confirmed="yes", reason="Because")

    row.refresh_from_db()
    assert row.state == "active"
    assert "Stop for good" not in client.get(page("sequences.enrollment")).content.decode()


def test_a_button_on_an_enrollments_page_leads_back_to_it() -> None:
    row, client = enrolled(a_sequence())[0], as_("Marketing")

    data = {"action": "stop", "_selected_action": [row.pk], "index": "0", "from_page": "yes",
            "confirmed": "yes", "reason": "Because"}  # fmt: skip
    answer = client.post(page("sequences.enrollment"), data)

    assert answer["Location"] == page("sequences.enrollment", row.pk)


@pytest.mark.parametrize(
    ("question", "found"),
    [("active", {1, 2}), ("held", {2}), ("paused", {3}), ("stopped", {4}), ("finished", {5})],
)
def test_enrollments_are_listed_by_what_is_asked(question: str, found: set[int]) -> None:
    rows = dict(enumerate(enrolled(a_sequence(), 5), start=1))
    rows[2].hold_reason = "Too old"
    rows[3].pause(now(), "By hand", "kim")
    rows[4].stop(now(), "Deal won", "the CRM")
    rows[5].finish(now(), "", "kim")
    for row in rows.values():
        row.save()

    listed = (
        as_superuser()
        .get(page("sequences.enrollment"), {"ask": question})
        .context["cl"]
        .result_list
    )

    assert {row.pk for row in listed} == {rows[number].pk for number in found}


def test_people_are_enrolled_from_the_list_of_contacts() -> None:
    sequence, client = a_sequence(), as_("Marketing")
    able, nameless = a_contact(), a_contact(email=None, external_id="x")

    asked = act(client, "leadscoring.contact", "enroll_action", able.pk, nameless.pk)
    said = act(
        client,
        "leadscoring.contact",
        "enroll_action",
        able.pk,
        nameless.pk,
        confirmed="yes",
        choice=str(sequence.pk),
    )

    assert sequence.name in asked
    assert "1 entered; 1 did not: They have no e-mail address (1)." in said
    assert Enrollment.objects.get().by == "Marketing"


@pytest.mark.parametrize("choice", ["", "x", "999999", "-1", "²"])
def test_nobody_is_enrolled_in_what_is_no_sequence(choice: str) -> None:
    a_sequence()

    said = act(
        as_superuser(),
        "leadscoring.contact",
        "enroll_action",
        a_contact().pk,
        confirmed="yes",
        choice=choice,
    )

    assert "Choose one first" in said
    assert not Enrollment.objects.exists()


def test_operations_enrolls_nobody() -> None:
    sequence, contact = a_sequence(), a_contact()

    act(
        as_("Operations"),
        "leadscoring.contact",
        "enroll_action",
        contact.pk,
        confirmed="yes",
        choice=str(sequence.pk),
    )

    assert not Enrollment.objects.exists()


def test_a_contacts_page_tells_what_holds_their_next_mail() -> None:
    row = enrolled(a_sequence(name="Welcome to it"))[0]
    Enrollment.objects.update(next_at=now() - DAY)

    told = as_superuser().get(page("leadscoring.contact", row.contact_id)).content.decode()

    assert "Welcome to it" in told
    assert "The CRM has not been read yet" in told


# --- mails


def undecided(state: str) -> Delivery:
    """A mail whose enrollment waits for a person's decision."""
    row = enrolled(a_sequence())[0]
    row.pause(now(), "Unclear", "the mail sender")
    row.save()
    return a_mail(row, state)


def test_a_mail_that_perhaps_left_is_sent_again_only_after_a_question() -> None:
    mail, client = undecided("unclear"), as_("Operations")

    asked = act(client, "sequences.delivery", "send_again", mail.pk)
    before = Delivery.objects.get().state
    act(client, "sequences.delivery", "send_again", mail.pk, confirmed="yes")

    assert "gets it a second time" in asked
    assert (before, Delivery.objects.get().state) == ("unclear", "waiting")
    assert Enrollment.objects.get().state == "active"


def test_a_mail_that_perhaps_left_is_counted_as_sent() -> None:
    mail = undecided("unclear")

    act(as_("Operations"), "sequences.delivery", "count_as_sent", mail.pk)

    mail.refresh_from_db()
    assert (mail.state, mail.reason) == ("sent", "Counted as sent, says Operations")


def test_a_mail_that_nobody_waits_for_is_left_alone() -> None:
    mail = a_mail(enrolled(a_sequence())[0], "sent")

    said = act(as_("Operations"), "sequences.delivery", "send_again", mail.pk, confirmed="yes")

    assert "0 to be sent again. 1 wait for no decision." in said


# --- suppressions


def test_an_address_entered_by_hand_leaves_all_sequences() -> None:
    row = enrolled(a_sequence())[0]
    form = {"email": row.contact.email.upper(), "detail": "Called us"}

    as_("Marketing").post(page("sequences.suppression") + "add/", form)

    row.refresh_from_db()
    suppression = Suppression.objects.get()
    assert (suppression.email, suppression.reason) == (row.contact.email, "by_hand")
    assert (row.state, row.by) == ("stopped", "Marketing")


def test_an_address_is_suppressed_in_the_form_in_which_people_have_it() -> None:
    client = as_("Marketing")

    client.post(page("sequences.suppression") + "add/", {"email": "Ada@xn--mnchen-3ya.de"})
    refused = client.post(page("sequences.suppression") + "add/", {"email": "ada@localhost"})

    assert Suppression.objects.get().email == "ada@münchen.de"
    assert "not an e-mail address" in refused.content.decode()


@pytest.mark.parametrize(("group", "reason", "left"), [("Operations", "They asked", 0), ("Operations", " ", 1),
                                                       ("Marketing", "They asked", 1)])  # fmt: skip
def test_mail_is_allowed_again_only_with_permission_and_a_reason(
    group: str, reason: str, left: int
) -> None:
    row = Suppression.objects.create(
        email="ada@example.com", reason="unsubscribed", created_at=now()
    )

    act(as_(group), "sequences.suppression", "lift", row.pk, confirmed="yes", reason=reason)

    assert Suppression.objects.count() == left
    assert LogEntry.objects.filter(change_message__contains="They asked").count() == 1 - left


def test_who_opted_out_in_the_crm_is_changed_there() -> None:
    row = Suppression.objects.create(
        email="ada@example.com", reason="crm_opt_out", created_at=now()
    )

    act(
        as_("Operations"),
        "sequences.suppression",
        "lift",
        row.pk,
        confirmed="yes",
        reason="They asked",
    )

    assert Suppression.objects.exists()


def test_a_suppressions_page_says_why_and_since_when() -> None:
    row = Suppression.objects.create(
        email="ada@example.com", reason="unsubscribed", created_at=now() - timedelta(hours=3)
    )

    told = as_("Operations").get(page("sequences.suppression", row.pk)).content.decode()

    assert "Unsubscribed" in told
    assert "3 h ago" in told


# --- sequences


def form(
    sequence: Sequence | None, *steps: dict[str, object], **fields: object
) -> dict[str, object]:
    """What the browser sends for a sequence and its mails."""
    kept = sum(1 for step in steps if step.get("id"))
    data: dict[str, object] = {"name": sequence.name if sequence else "Nurture", "active": "on", "enter_when": "{}",
                               "steps-TOTAL_FORMS": len(steps), "steps-INITIAL_FORMS": kept, **fields}  # fmt: skip
    for number, step in enumerate(steps):
        given = {"position": number + 1, "wait": "3 days", "subject": "Mail", "body": "Text",
                 "sequence": sequence.pk if sequence else "", **step}  # fmt: skip
        data |= {f"steps-{number}-{name}": value for name, value in given.items()}
    return data


def save(client: Client, sequence: Sequence, *steps: dict[str, object], **fields: object) -> str:
    address = page("sequences.sequence", sequence.pk)
    return client.post(address, form(sequence, *steps, **fields), follow=True).content.decode()


def test_a_sequence_is_written_with_its_mails() -> None:
    data = form(None, {"wait": "0 days", "subject": "Hello {{ first_name }}"}, {"wait": "2 weeks"},
                enter_when='{"score__gte": 20}')  # fmt: skip

    as_("Marketing").post(page("sequences.sequence") + "add/", data)

    sequence = Sequence.objects.get()
    assert sequence.enter_when == {"score__gte": 20}
    assert [step.wait for step in sequence.steps.all()] == [timedelta(0), timedelta(weeks=2)]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"subject": "Hello {{ firstname }}"}, "unknown merge field"),
        ({"body": "{% load x %}"}, "is no merge field"),
        ({"wait": "soon"}, "number and a unit"),
        ({"wait": "-3 days"}, "number and a unit"),
        ({"wait": "999999 weeks"}, "at most 10 years"),
        ({"subject": "Hello\x0bthere"}, "one line without control characters"),
        ({"position": 0}, "greater than or equal to"),
        ({"body": "x" * 50_001}, "at most 50,000"),
    ],
)
def test_a_mail_that_cannot_be_is_refused_with_the_reason(
    step: dict[str, object], words: str
) -> None:
    told = (
        as_("Marketing")
        .post(page("sequences.sequence") + "add/", form(None, step))
        .content.decode()
    )

    assert words in told
    assert not Sequence.objects.exists()


def test_a_condition_that_cannot_be_is_refused_with_the_reason() -> None:
    data = form(None, enter_when='{"skore__gte": 20}')

    told = as_("Marketing").post(page("sequences.sequence") + "add/", data).content.decode()

    assert "score__gte is meant?" in told


@pytest.mark.parametrize(
    "typed",
    [
        "[" * 100_000,
        '{"score__gte": ' + "1" * 5_000 + "}",
        '{"activity": "a\\u0000b"}',
        '{"activity": "a\\ud800b"}',
    ],
)
def test_a_condition_that_cannot_be_kept_is_refused_with_a_sentence(typed: str) -> None:
    answer = as_("Marketing").post(
        page("sequences.sequence") + "add/", form(None, enter_when=typed)
    )

    assert answer.status_code == 200
    assert "Write JSON without control characters" in answer.content.decode()
    assert not Sequence.objects.exists()


def test_a_sequences_name_is_one_line() -> None:
    told = as_("Marketing").post(page("sequences.sequence") + "add/", form(None, name="a\x0bb"))

    assert "one line without control characters" in told.content.decode()


def test_two_mails_change_places() -> None:
    sequence = a_sequence()
    first, second = sequence.steps.all()

    save(as_("Marketing"), sequence, {"id": first.pk, "position": 2, "subject": first.subject},
         {"id": second.pk, "position": 1, "subject": second.subject})  # fmt: skip

    assert [step.pk for step in sequence.steps.all()] == [second.pk, first.pk]


def test_two_mails_in_one_place_are_refused() -> None:
    sequence = a_sequence()
    first, second = sequence.steps.all()

    told = save(
        as_("Marketing"),
        sequence,
        {"id": first.pk, "position": 1},
        {"id": second.pk, "position": 1},
    )

    assert "duplicate" in told
    assert [step.position for step in Step.objects.all()] == [1, 2]


def test_whoever_waits_for_a_mail_that_is_deleted_has_finished() -> None:
    sequence = a_sequence()
    first, second = sequence.steps.all()
    here, behind = enrolled(sequence, 2)
    Enrollment.objects.filter(pk=behind.pk).update(next_position=2)

    save(
        as_("Marketing"),
        sequence,
        {"id": first.pk},
        {"id": second.pk, "position": 2, "DELETE": "on"},
    )

    assert dict(Enrollment.objects.values_list("pk", "state")) == {
        here.pk: "active",
        behind.pk: "finished",
    }


@pytest.mark.parametrize(
    ("typed", "wait"),
    [
        ("3 days", timedelta(3)),
        ("1 day", timedelta(1)),
        ("4hours", timedelta(hours=4)),
        ("30 Minutes", timedelta(minutes=30)),
    ],
)
def test_a_wait_is_written_as_people_say_it(typed: str, wait: timedelta) -> None:
    field = WaitField()

    assert field.clean(typed) == wait
    assert field.clean(field.prepare_value(wait)) == wait


def test_a_sequences_page_counts_who_waits_before_each_mail_and_who_got_it() -> None:
    sequence = a_sequence()
    first, second, third = enrolled(sequence, 3)
    a_mail(first, "sent")
    a_mail(second, "unclear")
    Enrollment.objects.filter(pk=first.pk).update(next_position=2)

    mails = as_superuser().get(page("sequences.sequence", sequence.pk)).context["mails"]

    told = [(mail["waiting"], mail["sent"], mail["unclear"]) for mail in mails]
    assert told == [(2, 1, 1), (1, 0, 0)]
    assert third.pk


def test_a_sequences_page_counts_who_opened_and_who_clicked_each_mail() -> None:
    sequence = a_sequence()
    one, two, three = enrolled(sequence, 3)
    a_mail(one, "sent", opened_at=now(), clicked_at=now())
    a_mail(two, "sent", opened_at=now())
    a_mail(three, "sent")

    mails = as_superuser().get(page("sequences.sequence", sequence.pk)).context["mails"]

    assert [(mail["opened"], mail["clicked"]) for mail in mails] == [(2, 1), (0, 0)]


def test_the_list_of_mails_tells_what_people_did_with_them() -> None:
    sequence = a_sequence()
    one, two, _ = enrolled(sequence, 3)
    a_mail(one, "sent", opened_at=now(), clicked_at=now())
    a_mail(two, "sent", opened_at=now())

    client, mails = as_superuser(), page("sequences.delivery")
    everybody = client.get(mails).content.decode()
    clicked = client.get(f"{mails}?ask=clicked").content.decode()

    assert (everybody.count(">clicked<"), everybody.count(">opened<")) == (1, 1)
    assert (clicked.count(">clicked<"), clicked.count(">opened<")) == (1, 0)


def test_the_preview_is_written_to_the_sample_person_and_is_clean() -> None:
    sequence = a_sequence()
    body = f"Hello **{{{{ first_name }}}}** <img src=x onerror=alert(1)> {HOSTILE.split('{')[0]}"
    sequence.steps.update(subject="For {{ company }}", body=body)

    told = as_superuser().get(page("sequences.sequence", sequence.pk))

    mail = told.context["mails"][0]
    assert mail["subject"] == "For Analytical Engines"
    assert "<strong>Ada</strong>" in mail["html"]
    assert "onerror" not in mail["html"]
    assert "<script>alert" not in mail["html"]


def test_a_preview_that_cannot_be_made_says_why() -> None:
    sequence = a_sequence()
    sequence.steps.update(body="{{ nonsense }}")

    mail = as_superuser().get(page("sequences.sequence", sequence.pk)).context["mails"][0]

    assert "It cannot be made" in mail["html"]


def test_a_sequence_with_people_in_it_cannot_be_deleted() -> None:
    sequence = a_sequence()
    enrolled(sequence)

    as_superuser().post(page("sequences.sequence", sequence.pk, "delete"), {"post": "yes"})

    assert Sequence.objects.exists()
    assert Contact.objects.exists()


# --- archived


def test_a_used_sequence_is_archived_and_its_people_leave() -> None:
    sequence, other = a_sequence(name="Nurture"), a_sequence(name="Other")
    active, paused, elsewhere = (
        an_enrollment(sequence=sequence),
        an_enrollment(sequence=sequence),
        an_enrollment(sequence=other),
    )
    enrolling.pause_enrollments(Enrollment.objects.filter(pk=paused.pk), NOON, "on holiday", "ada")
    client = as_superuser()

    asked = act(client, "sequences.sequence", "archive", sequence.pk)
    answer = act(
        client, "sequences.sequence", "archive", sequence.pk, confirmed="yes", from_page="yes"
    )

    sequence.refresh_from_db()
    assert "2 people leave" in asked
    assert "1 archived; 2 people left" in answer
    assert (sequence.active, sequence.archived_at is not None) == (False, True)
    assert [again(row).state for row in (active, paused, elsewhere)] == [
        "stopped",
        "stopped",
        "active",
    ]
    assert again(active).reason == "The sequence was archived"


def test_nobody_enters_an_archived_sequence_by_hand_rule_or_file() -> None:
    sequence = a_sequence(enter_when={"score__gte": 0})
    archive_sequences(Sequence.objects.all(), NOON, "ada")
    sequence.refresh_from_db()

    entry = enrolling.enroll_contacts(sequence, [a_mailable_contact()], NOON, "ada")
    applied = apply_sequence(
        SequenceDefinition(sequence.name, {}, (StepDefinition(DAY, "New", "Text"),), True), NOON
    )

    assert [refused.reason for refused in entry.refused] == ["The sequence is archived"]
    assert not Sequence.objects.entered_by_rule().exists()
    assert applied.changed
    assert Sequence.objects.get().archived_at


def test_archived_sequences_are_listed_only_when_asked_for_and_can_be_brought_back() -> None:
    a_sequence(name="Kept")
    old = a_sequence(name="Old")
    archive_sequences(Sequence.objects.filter(pk=old.pk), NOON, "ada")
    client = as_superuser()
    listed = page("sequences.sequence")

    usual, archived = (
        client.get(listed).context["cl"],
        client.get(listed, {"ask": "archived"}).context["cl"],
    )
    act(client, "sequences.sequence", "bring_back", old.pk, select_across="1")
    still = Sequence.objects.archived().count()
    act(client, "sequences.sequence", "bring_back", old.pk, from_page="yes")

    assert [[row.name for row in one.result_list] for one in (usual, archived)] == [
        ["Kept"],
        ["Old"],
    ]
    assert still == 1
    assert not Sequence.objects.archived().exists()
    assert not Sequence.objects.get(name="Old").active


def test_an_archived_sequence_cannot_be_changed() -> None:
    sequence = a_sequence()
    archive_sequences(Sequence.objects.all(), NOON, "ada")
    client = as_superuser()

    shown = client.get(page("sequences.sequence", sequence.pk)).content.decode()

    assert 'value="bring_back"' in shown
    assert 'value="archive"' not in shown
    assert client.post(page("sequences.sequence", sequence.pk), {"active": "on"}).status_code == 403


@pytest.mark.parametrize("used", [True, False])
def test_a_sequence_is_offered_for_deleting_while_nobody_was_in_it(used: bool) -> None:
    sequence = a_sequence()
    if used:
        enrolling.stop_enrollments(
            Enrollment.objects.filter(pk=an_enrollment(sequence=sequence).pk), NOON, "enough", "ada"
        )

    shown = as_superuser().get(page("sequences.sequence", sequence.pk)).content.decode()

    assert (page("sequences.sequence", sequence.pk, "delete") in shown) is not used
