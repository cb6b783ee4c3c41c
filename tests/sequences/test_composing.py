import pytest

from leadscoring.models import Company
from sequences.models import Delivery
from sequences.sending.claim import claim_next
from sequences.sending.compose import compose_mail, render_html, render_text
from tests.sequences.makers import NOON, NOW, a_mailable_contact, a_sequence, an_enrollment

NASTY = {
    "<script>alert(1)</script>": "&lt;script&gt;alert(1)&lt;/script&gt;",
    '<img src=x onerror="alert(1)">': "&lt;img src=x onerror=",
    "[click](http://evil.example)": "[click](http://evil.example)",
    "**bold** _em_ `code`": "**bold** _em_ `code`",
    "# Heading": "# Heading",
    "{{ email }}": "{{ email }}",
    "{% load x %}": "{% load x %}",
    "\ue0000\ue001": "0",
    "a & b": "a &amp; b",
}


@pytest.mark.parametrize(("name", "shown"), NASTY.items())
def test_a_name_stays_plain_text(name: str, shown: str) -> None:
    html = render_html("Hello **{{ first_name }}**!", {"first_name": name, "email": "a@b.example"})

    assert html.startswith(f"<p>Hello <strong>{shown}")
    assert "<a" not in html
    assert "<img" not in html


def test_a_name_at_the_start_of_a_line_makes_no_list_or_heading() -> None:
    html = render_html("{{ first_name }}\n\nText", {"first_name": "1. # - > Ada"})

    assert html == "<p>1. # - &gt; Ada</p>\n<p>Text</p>"


@pytest.mark.parametrize(
    ("company", "address"),
    [
        ("Engines & Co", "https://us.example/?c=Engines%20%26%20Co"),
        ('"><script>', "https://us.example/?c=%22%3E%3Cscript%3E"),
    ],
)
def test_a_value_in_a_link_is_encoded(company: str, address: str) -> None:
    html = render_html("[Look](https://us.example/?c={{ company }})", {"company": company})

    assert f'href="{address}"' in html
    assert "<script" not in html


@pytest.mark.parametrize("body", ["[x]({{ company }})", '<a href="{{ company }}">x</a>'])
def test_a_value_is_never_a_links_scheme(body: str) -> None:
    html = render_html(body, {"company": "javascript:alert(1)"})

    assert "javascript:" not in html


@pytest.mark.django_db
@pytest.mark.parametrize("sign", ["\x0b", "\r", "\n", "\x1c", "\u2028"])
def test_a_subject_that_would_end_the_head_of_a_mail_makes_no_mail(sign: str) -> None:
    """Written before it was refused, or by other means."""
    row = an_enrollment(a_mailable_contact(), a_sequence(NOW))
    row.sequence.steps.update(subject=f"Hi{sign}Bcc: a@b.example")

    claim_next(NOON)

    mail = Delivery.objects.get()
    assert (mail.state, "control character" in mail.reason) == ("failed", True)


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<a href='javascript:alert(1)'>x</a>",
        "<p onclick='alert(1)'>x</p>",
        "<iframe src='https://evil.example'></iframe>",
        "<style>body { display: none }</style>",
        "[x](javascript:alert(1))",
    ],
)
def test_a_marketers_html_is_cleaned(body: str) -> None:
    html = render_html(body, {})

    assert not any(bad in html for bad in ("alert", "javascript", "iframe", "style", "onclick"))


def test_markdown_becomes_html() -> None:
    html = render_html("# Hi\n\n- one\n- two\n\nOne\ntwo **three** [four](https://us.example)", {})

    for part in ("<h1>Hi</h1>", "<li>one</li>", "One<br>\ntwo", "<strong>three</strong>"):
        assert part in html
    assert '<a href="https://us.example" rel="noopener noreferrer">four</a>' in html


# --- the message


@pytest.fixture
def delivery(db: None) -> Delivery:
    enrollment = an_enrollment(a_mailable_contact(first_name="Ada\r\nBcc: all@example.com"))
    return Delivery.objects.create(
        enrollment=enrollment, position=1, claimed_at=NOON,
        email=enrollment.contact.email or "", message_id="<1@us.example>",
    )  # fmt: skip


def test_one_click_unsubscribes(delivery: Delivery) -> None:
    step = delivery.enrollment.sequence.steps.first()
    assert step

    message = compose_mail(step, delivery.enrollment.contact, delivery).message()

    assert message["List-Unsubscribe"].startswith("<http://testserver/u/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Message-ID"] == "<1@us.example>"


def test_both_parts_have_the_link_to_unsubscribe(delivery: Delivery) -> None:
    step = delivery.enrollment.sequence.steps.first()
    assert step

    message = compose_mail(step, delivery.enrollment.contact, delivery)

    link = message.extra_headers["List-Unsubscribe"].strip("<>")
    html = str(message.alternatives[0][0])
    assert f"Unsubscribe: {link}" in str(message.body)
    assert f'href="{link}"' in html


def test_a_name_with_line_breaks_adds_no_header(delivery: Delivery) -> None:
    step = delivery.enrollment.sequence.steps.first()
    assert step
    step.subject = "Welcome, {{ first_name|default:'there' }}"

    message = compose_mail(step, delivery.enrollment.contact, delivery).message()

    assert message["Subject"] == "Welcome, Ada Bcc: all@example.com"
    assert message["Bcc"] is None


def test_styles_are_inline_and_the_dark_ones_stay(delivery: Delivery) -> None:
    step = delivery.enrollment.sequence.steps.first()
    assert step

    html = str(compose_mail(step, delivery.enrollment.contact, delivery).alternatives[0][0])

    assert '<div class="sheet" style="' in html
    assert "prefers-color-scheme: dark" in html


def test_in_the_text_part_too_a_value_in_a_link_is_encoded() -> None:
    text = render_text(
        "At {{ company }}: [x](https://us.example/?c={{ company }})", {"company": "A & B"}, "u"
    )

    assert text.startswith("At A & B: x (https://us.example/?c=A%20%26%20B)\n")


def test_in_the_text_part_a_link_is_spelled_out_and_a_name_stays_as_it_is() -> None:
    text = render_text(
        "{{ first_name }}, read [our guide](https://us.example).",
        {"first_name": "[a](http://b)"},
        "u",
    )

    assert text.startswith("[a](http://b), read our guide (https://us.example).\n")


def test_company_and_score_can_be_merged(db: None) -> None:
    contact = a_mailable_contact(company=Company.objects.create(name="Engines & Co"))
    sequence = a_sequence()
    step = sequence.steps.first()
    assert step
    step.body = "{{ company }}: {{ score|default:'no score' }}"
    enrollment = an_enrollment(contact, sequence)
    mail = Delivery(
        pk=1, enrollment=enrollment, position=1, email=contact.email or "", message_id="<2@x>"
    )

    message = compose_mail(step, contact, mail)

    assert str(message.body).startswith("Engines & Co: no score\n")
    assert "Engines &amp; Co: no score" in str(message.alternatives[0][0])
