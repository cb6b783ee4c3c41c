"""The page *Forms*: a marketer makes a form without a word of code, and secrets are shown once."""

import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.test import Client

from leadscoring.intake.forms.paste import form_html
from leadscoring.intake.forms.secrets import find_service, signing_secret_of
from leadscoring.models import Contact, Form, Source
from tests.admin_pages import HOSTILE, act, as_, page
from tests.makers import an_api_key

pytestmark = pytest.mark.django_db
INLINE = {"fields-TOTAL_FORMS": "0", "fields-INITIAL_FORMS": "0"}
FORM = "leadscoring.form"


@pytest.fixture(autouse=True)
def nothing_tried_yet():
    cache.clear()


@pytest.fixture
def marketer():
    return as_("Marketing")


def make(client, name="contact", kind="page"):
    return client.post(f"{page(FORM)}add/", {"name": name, "kind": kind})


def change(client, form, rows=(), **fields):
    given = {"activity_type": "form_submit", "thank_you": "", "origins": "", **fields}
    inline = {**INLINE, "fields-TOTAL_FORMS": str(len(rows))}
    for number, row in enumerate(rows):
        inline |= {f"fields-{number}-{name}": value for name, value in row.items()}
    return client.post(page(FORM, form.pk), {**given, **inline})


def shown(answer):
    return answer.content.decode()


def test_a_marketer_makes_a_form_and_pastes_what_the_page_shows(marketer):
    made = make(marketer)
    form = Form.objects.get()
    saved = change(marketer, form, thank_you="https://www.example.com/thanks",
                   origins="https://WWW.example.com/ https://shop.example.com",
                   activity_type="Demo Requested", rows=[
                       {"name": "your mail", "becomes": "email"},
                       {"name": "size", "becomes": "property", "property": "company_size"}])  # fmt: skip

    form.refresh_from_db()
    assert (made.status_code, made["Location"]) == (302, page(FORM, form.pk))
    assert saved.status_code == 302
    assert form.activity_type == "demo_requested"
    assert form.allowed_origins() == {"https://www.example.com", "https://shop.example.com"}
    assert Source.objects.get(name="contact").kind == "form"


def test_the_html_works_as_it_is_pasted(marketer):
    make(marketer)
    told = shown(marketer.get(page(FORM, Form.objects.get().pk)))
    pasted = re.search(r"&lt;form.*?/form&gt;", told, re.DOTALL)[0]

    for name in ("email", "first_name", "your_fax", "anonymous_id"):
        assert f"name=&quot;{name}&quot;" in pasted
    assert "action=&quot;http://testserver/forms/contact&quot;" in pasted
    Client().post(
        "/forms/contact", {"email": "ada@example.com", "your_fax": "", "anonymous_id": ""}
    )
    assert Contact.objects.get().email == "ada@example.com"


def test_the_html_asks_for_an_address_whatever_else_it_asks():
    form = Form.objects.create(name="contact")
    form.fields.create(name="team size", becomes="property", property="company_size")

    html = form_html(form)

    assert html.index('name="email" required') < html.index('name="team size"')


def test_names_of_fields_are_no_markup(marketer):
    make(marketer)
    form = Form.objects.get()
    form.fields.create(name=HOSTILE, becomes="detail")

    assert HOSTILE not in shown(marketer.get(page(FORM, form.pk)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"thank_you": "javascript:alert(1)"}, {"thank_you": "//evil.test"}, {"thank_you": "/thanks"},
        {"origins": "*"}, {"origins": "https://a.example/page"}, {"origins": "null"},
        {"activity_type": "!!!"}, {"activity_type": ""},
        {"rows": [{"name": "x", "becomes": "property"}]},
        {"rows": [{"name": "x", "becomes": "email", "property": "y"}]},
        {"rows": [{"name": "x", "becomes": "email"}, {"name": "x", "becomes": "phone"}]},
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_on_the_page(marketer, wrong):
    make(marketer)

    answer = change(marketer, Form.objects.get(), **wrong)

    assert answer.status_code == 200
    assert "Please correct the error" in shown(answer)


@pytest.mark.parametrize("name", ["website", "sales", "sequences", "two words", "a/b"])
def test_a_form_has_a_name_of_its_own(marketer, name):
    an_api_key("website")

    answer = make(marketer, name)

    expected = 302 if name == "sales" else 200
    assert answer.status_code == expected


def test_the_address_of_a_service_is_shown_once_and_kept_nowhere(marketer):
    told = shown(make(marketer, "demo", "calendly"))
    secret = re.search(r"/hooks/calendly/([\w-]+)", told)[1]
    form = Form.objects.get()
    later = shown(marketer.get(page(FORM, form.pk)))

    assert find_service("calendly", secret) == form
    assert secret not in later
    assert secret not in json.dumps(list(marketer.session.items()))
    assert Source.objects.get(name="demo").kind == "hook"


def test_a_signing_secret_is_kept_and_never_shown_again(marketer):
    make(marketer, "demo", "typeform")
    form = Form.objects.get()

    change(marketer, form, new_signing_secret="s3cret-of-typeform")
    change(marketer, form)
    form.refresh_from_db()
    later = shown(marketer.get(page(FORM, form.pk)))
    kept = signing_secret_of(form)
    act(marketer, FORM, "forget_signing_secret", form.pk, confirmed="yes")
    form.refresh_from_db()

    assert kept == "s3cret-of-typeform"
    assert "s3cret" not in later
    assert "s3cret" not in str(list(LogEntry.objects.values()))
    assert "checked" in later
    assert form.signing_secret == ""


def test_a_new_address_ends_the_one_before(marketer):
    first = re.search(r"/hooks/tally/([\w-]+)", shown(make(marketer, "poll", "tally")))[1]
    form = Form.objects.get()

    asked = act(marketer, FORM, "new_address", form.pk)
    told = act(marketer, FORM, "new_address", form.pk, confirmed="yes")
    second = re.search(r"/hooks/tally/([\w-]+)", told)[1]

    assert "refused from then on" in asked
    assert find_service("tally", first) is None
    assert find_service("tally", second) == form


def test_a_form_that_is_deleted_takes_nothing_and_its_name_is_free(marketer):
    make(marketer)
    form = Form.objects.get()

    marketer.post(f"/admin/leadscoring/form/{form.pk}/delete/", {"post": "yes"})

    assert Client().post("/forms/contact", {"email": "ada@example.com"}).status_code == 404
    assert Source.objects.get(name="contact").ended_at is not None
    assert make(marketer, "contact").status_code == 302


def test_operations_look_and_change_nothing():
    form = Form.objects.create(name="contact")
    client = as_("Operations")

    assert client.get(page(FORM, form.pk)).status_code == 200
    assert make(client, "other").status_code == 403
