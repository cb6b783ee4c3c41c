"""The page of a website: the line to paste, what arrives, and whom a link in a mail leads to it."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.timezone import now

from leadscoring import api_keys
from leadscoring.intake import visitor_links
from leadscoring.models import ApiKey, Website
from leadscoring.websites import is_own_address, parse_domains, snippet_line
from tests.admin_pages import as_, as_one_who_may, as_superuser, page
from tests.leadscoring.test_segment import Sender

pytestmark = pytest.mark.django_db
LIST = page("leadscoring.website")


def a_website(*domains, **given):
    sender = Sender(given.pop("name", "shop"))
    website = Website.objects.create(
        api_key=sender.key, write_key=sender.text, domains=domains or ["shop.example"], **given
    )
    return website, sender


def add(client, **given):
    said = {"name": "Shop", "hosts": "shop.example", "consent_required": "on", "key": ""} | given
    return client.post(f"{LIST}add/", said)


def line_of(markup):
    return unescape(re.search(r'<textarea[^>]*id="snippet"[^>]*>(.*?)</textarea>', markup)[1])


# --- adding --------------------------------------------------------------------------------------
def test_a_marketer_gets_a_line_with_a_key_that_may_only_send():
    client = as_("Marketing")

    answer = add(client, hosts="https://www.shop.example/start\nblog.example")

    website = Website.objects.get()
    assert answer["Location"] == page("leadscoring.website", website.pk)
    assert website.domains == ["shop.example", "blog.example"]
    assert (website.api_key.name, website.api_key.write_only) == ("Shop", True)
    assert api_keys.find_key(website.write_key) == website.api_key
    assert line_of(client.get(answer["Location"]).content.decode()) == (
        f'<script async src="http://testserver/s.js" data-key="{website.write_key}"'
        ' data-consent="required" data-domains="shop.example blog.example"></script>'
    )


def test_without_consent_and_with_one_domain_the_line_is_short():
    website, sender = a_website(consent_required=False)

    assert snippet_line(website) == (
        f'<script async src="http://testserver/s.js" data-key="{sender.text}"></script>'
    )


def test_a_key_that_one_has_is_taken():
    key, text = api_keys.create_key("website", write_only=True)

    add(as_("Marketing"), name="Shop", key=f" {text} ")

    assert Website.objects.get().api_key == key
    assert ApiKey.objects.count() == 1


def test_a_key_that_reads_another_websites_or_an_unknown_one_is_not_taken():
    _, reading = api_keys.create_key("server")
    _, taken = a_website()
    client = as_("Marketing")

    for text in (reading, taken.text, "ls_unknown"):
        assert add(client, key=text).status_code == 200
    assert Website.objects.count() == 1


@pytest.mark.parametrize("name", ["crm", "sequences", "server", "", "x" * 101])
def test_a_name_of_others_or_none_is_not_taken(name):
    api_keys.create_key("server")

    assert add(as_("Marketing"), name=name).status_code == 200
    assert not Website.objects.exists()


@pytest.mark.parametrize(
    ("typed", "domains"),
    [
        ("shop.example", ["shop.example"]),
        ("https://www.Shop.example/a?b=1, blog.example\nblog.example", ["shop.example", "blog.example"]),
        ("bücher.example:8000", ["xn--bcher-kva.example"]),
        ("localhost", ["localhost"]),
    ],
)  # fmt: skip
def test_domains_are_read_as_people_write_them(typed, domains):
    assert parse_domains(typed) == domains


@pytest.mark.parametrize("typed", ["https://", "a..b", "x" * 70 + ".example", " ".join(f"a{n}.example" for n in range(21)),
                                   "http://["])  # fmt: skip
def test_what_is_no_domain_is_refused(typed):
    assert add(as_("Marketing"), hosts=typed).status_code == 200
    assert not Website.objects.exists()
    with pytest.raises(ValueError, match="domain"):
        parse_domains(typed)


def test_a_website_without_domains_cannot_be():
    key, text = api_keys.create_key("website", write_only=True)

    with pytest.raises(IntegrityError, match="a_website_has_some_domains"), transaction.atomic():
        Website.objects.create(api_key=key, write_key=text, domains=[])


def test_domains_and_consent_are_changed_and_the_key_stays():
    website, sender = a_website()

    as_("Marketing").post(page("leadscoring.website", website.pk), {"hosts": "new.example"})

    website.refresh_from_db()
    assert (website.domains, website.consent_required) == (["new.example"], False)
    assert website.write_key == sender.text


def test_who_may_only_look_adds_and_changes_nothing():
    website, _ = a_website()
    client = as_one_who_may("leadscoring.view_website")

    assert client.get(page("leadscoring.website", website.pk)).status_code == 200
    assert add(client).status_code == 403
    assert as_().get(LIST).status_code == 403


# --- what arrives --------------------------------------------------------------------------------
def arrival(client, website, since):
    address = f"{LIST}{website.pk}/arrival/?since={int(since.timestamp())}"
    return client.get(address).content.decode()


def test_the_first_event_is_seen_to_arrive():
    website, send = a_website()
    client, opened = as_("Marketing"), now()
    before = arrival(client, website, opened)

    send("page", anonymousId="a", context={"page": {"url": "https://shop.example/<b>"}})
    after = arrival(client, website, opened)

    assert "hx-get" in before
    assert "waiting" in before
    assert "it works" in after
    assert "https://shop.example/&lt;b&gt;" in after
    assert "hx-get" not in after


def test_what_came_before_does_not_pass_for_news():
    website, send = a_website()
    send("page", anonymousId="a")

    shown = arrival(as_("Marketing"), website, now() + timedelta(seconds=2))

    assert "It last sent something" in shown
    assert "it works" not in shown


def test_a_page_that_nobody_looks_at_stops_asking():
    website, _ = a_website()

    shown = arrival(as_("Marketing"), website, now() - timedelta(minutes=16))

    assert "hx-get" not in shown
    assert "Nothing has come from it yet" in shown


@pytest.mark.parametrize("since", ["", "x", "-1", "9" * 12, "٣"])
def test_a_question_that_no_page_asks_is_not_answered(since):
    website, _ = a_website()

    answer = as_superuser().get(f"{LIST}{website.pk}/arrival/", {"since": since})

    assert answer.status_code in (200, 404)
    assert Client().get(f"{LIST}{website.pk}/arrival/").status_code == 302
    assert as_().get(f"{LIST}{website.pk}/arrival/?since=1").status_code == 403


def test_a_revoked_key_is_said():
    website, _ = a_website()
    api_keys.revoke_keys(ApiKey.objects.all(), now())

    shown = as_("Marketing").get(page("leadscoring.website", website.pk)).content.decode()

    assert "Its key is revoked" in shown
    assert not is_own_address("https://shop.example/")


# --- links in mails ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("https://shop.example/a", True),
        ("https://www.shop.example", True),
        ("https://notshop.example/", False),
        ("https://shop.example.evil.example/", False),
        ("https://evil.example/?https://shop.example/", False),
        ("https://shop.example@evil.example/", False),
    ],
)
def test_only_a_page_of_ours_is_told_whose_mail_led_to_it(address, own):
    a_website()

    assert is_own_address(address) is own


def test_the_parameter_has_the_name_that_the_snippet_reads():
    assert visitor_links.PARAMETER in Client().get("/s.js").content.decode()
