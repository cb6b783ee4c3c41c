"""The snippet as it is served, and links that join a visitor of one site with one of another, or with a mail."""

import gzip
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from leadscoring.api import auth
from leadscoring.common import attempts
from leadscoring.common.outage import OutageMemory
from leadscoring.intake import visitor_links
from leadscoring.models import Activity, Contact, NotTaken, TakenMessage, Visitor
from tests.leadscoring.test_segment import Sender, acts
from tests.makers import a_contact

pytestmark = pytest.mark.django_db


class Site(Sender):
    """A page with the snippet."""

    def ask(self, path, **body):
        raw = json.dumps({"writeKey": self.text, **body})
        return self.client.post(f"/v1/{path}", raw, content_type="text/plain")

    def view(self, visitor):
        self("page", anonymousId=visitor, messageId=f"{visitor} views")

    def link_of(self, visitor):
        return self.ask("link", anonymousId=visitor).json()["link"]


@pytest.fixture
def site():
    return Site()


def refusals():
    return list(NotTaken.objects.order_by("pk").values_list("kind", "field", "message"))


# --- the script ----------------------------------------------------------------------------------
def test_the_snippet_is_at_most_three_kilobytes_on_its_way():
    answer = Client().get("/s.js", headers={"accept-encoding": "gzip"})

    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) <= 3_000
    assert b"leads_" in gzip.decompress(answer.content)


def test_the_snippet_is_kept_and_asked_for_again_by_its_tag():
    first = Client().get("/s.js")
    again = Client().get("/s.js", headers={"if-none-match": first["ETag"]})

    assert "max-age=3600" in first["Cache-Control"]
    assert first["Access-Control-Allow-Origin"] == "*"
    assert first["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert not first.cookies
    assert (again.status_code, again.content) == (304, b"")


# --- from one site to another --------------------------------------------------------------------
def test_a_link_joins_the_browsers_of_two_sites(site):
    site.view("shop")
    site.view("blog")

    answer = site.ask("join", anonymousId="blog", link=site.link_of("shop"))
    site("identify", anonymousId="blog", traits={"email": "ada@example.com"})

    assert answer.json() == {"success": True}
    assert acts(email="ada@example.com") == ["page_view"] * 2


@pytest.mark.parametrize("known", ["shop", "blog"])
def test_a_link_joins_with_a_browser_that_is_known(site, known):
    site("identify", anonymousId=known, traits={"email": "ada@example.com"})
    site.view("shop")
    site.view("blog")

    site.ask("join", anonymousId="blog", link=site.link_of("shop"))

    assert acts(email="ada@example.com") == ["page_view"] * 2


@pytest.mark.parametrize("said", [{"traits": {"email": "bob@example.com"}}, {"userId": "b7"}])
def test_a_link_makes_no_one_person_of_two_who_said_who_they_are(site, said):
    site("identify", anonymousId="shop", traits={"email": "ada@example.com"})
    site("page", anonymousId="blog", userId=said.get("userId"), messageId="1")
    site("identify" if "traits" in said else "track", anonymousId="blog", event="x", **said)

    answer = site.ask("join", anonymousId="blog", link=site.link_of("shop"))

    assert answer.status_code == 200
    assert acts(email="ada@example.com") == []


def test_a_link_is_good_once(site):
    link = site.link_of("shop")
    site.ask("join", anonymousId="blog", link=link)
    site.ask("join", anonymousId="of a friend who got the address", link=link)

    assert refusals() == [("join", "link", visitor_links.USED_UP)]
    assert set(Visitor.objects.values_list("value", flat=True)) == {"shop", "blog"}


def test_a_link_is_good_for_minutes(site):
    long_ago = now() - visitor_links.GOOD_FOR - timedelta(seconds=2)
    site.ask("join", anonymousId="blog", link=visitor_links.sign_visitor("shop", long_ago))

    assert refusals() == [("join", "link", visitor_links.TOO_OLD)]
    assert not Visitor.objects.exists()


@pytest.mark.parametrize("change", [lambda link: link[:-1] + "_", lambda link: "x" * 10_000, lambda link: {"a": [link]}, lambda link: None,
                                    lambda link: link.replace(".", "", 1), lambda link: "\ud800"])  # fmt: skip
def test_a_forged_link_joins_nobody_and_is_counted(site, change):
    site.ask("join", anonymousId="blog", link=change(site.link_of("shop")))

    assert refusals() == [("join", "link", visitor_links.NOT_OURS)]
    assert not Visitor.objects.exists()
    assert not TakenMessage.objects.exists()


@pytest.mark.parametrize("anonymous_id", ["", None, 7, "x" * 201, "a\u0000b", "\ud800", ["a"]])
def test_a_link_is_signed_for_an_id_alone(site, anonymous_id):
    answer = site.ask("link", anonymousId=anonymous_id)

    assert answer.json() == {"success": True}
    assert refusals()[0][:2] == ("link", "anonymousId")


@pytest.mark.parametrize("path", ["link", "join"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"writeKey": "ls_wrong"}', 401),
        (b'{"writeKey": {"a": 1}}', 401),
        (b"{}", 401),
        (b"[1]", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b" " * 1_100_000, 413),
    ],
)
def test_what_is_no_question_of_a_page_is_refused(path, body, status):
    answer = Client().post(f"/v1/{path}", body, content_type="text/plain")

    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert not Visitor.objects.exists()


def test_a_page_that_floods_is_told_when_to_go_on(site, monkeypatch):
    monkeypatch.setattr(auth, "REQUESTS_PER_MINUTE", 1)
    monkeypatch.setattr(attempts, "redis_outage", OutageMemory(seconds=5))
    answers = [site.ask("link", anonymousId="a") for _ in range(3)]

    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) >= 1


# --- from a mail ---------------------------------------------------------------------------------
def test_who_comes_by_a_mails_link_is_its_reader(site):
    ada = a_contact(email="ada@example.com")
    site.view("browser")

    site.ask("join", anonymousId="browser", link=visitor_links.sign_contact(ada.pk, now()))

    assert acts(email="ada@example.com") == ["page_view"]


@pytest.mark.parametrize("said", ["identify", "userId"])
def test_a_forwarded_mail_changes_nobody_who_said_who_they_are(site, said):
    ada = a_contact(email="ada@example.com")
    if said == "identify":
        site("identify", anonymousId="browser", traits={"email": "bob@example.com"})
        site.view("browser")
    else:
        site("page", anonymousId="browser", userId="b7", messageId="1")

    site.ask("join", anonymousId="browser", link=visitor_links.sign_contact(ada.pk, now()))

    assert acts(email="ada@example.com") == []
    assert acts(email="bob@example.com") == (["page_view"] if said == "identify" else [])


def test_a_mail_to_somebody_who_is_erased_meanwhile_joins_nobody(site):
    ada = a_contact(email="ada@example.com")
    link = visitor_links.sign_contact(ada.pk, now())
    ada.delete()

    assert site.ask("join", anonymousId="browser", link=link).status_code == 200
    assert not Contact.objects.exists()
    assert not Activity.objects.exists()


def test_the_links_name_nobody():
    link = visitor_links.sign_contact(a_contact(email="ada@example.com").pk, now())

    assert "ada" not in str(visitor_links.SIGNER.unsign_object(link))
