"""What the pages of the admin say: plain words, and one name for one thing in menu, title and breadcrumb."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from pytest_django import DjangoDbBlocker

import leadscoring.urls  # noqa: F401 -- it registers all pages
from crm_sync.models import Account, Drift, Handoff, Outcome, Report
from leadscoring import api_keys
from leadscoring.admin.import_steps import UNDONE, WORDS
from leadscoring.admin_theme import UNFOLD
from leadscoring.crm_state import set_freshness
from leadscoring.models import (
    AccessEntry,
    ActivityType,
    CrmFreshness,
    Form,
    Import,
    ModelVersion,
    RejectedRow,
    Website,
)
from sequences.models import Suppression
from tests.admin_pages import act, as_superuser, page
from tests.bench import crowd
from tests.leadscoring.test_admin import a_draft
from tests.makers import an_upload

pytestmark = pytest.mark.django_db
# Words that only who wrote the code understands, and what the pages say instead.
INSTEAD = {
    r"the loop": "funnel",
    r"cross(es|ed|ing|ings)?": "became ready for sales",
    r"ledger": "handoffs",
    r"withdr(ew|aw|awn|awal)": "kept here",
    r"spoke": "rule among the reasons",
    r"lead statuses (that )?refuse": "statuses that count as rejected",
    r"(our )?picture of the CRM|the top is": "in step with the CRM: 19 of 19",
    r"half in|95 % in|nearly all": "usually, slowest",
    r"is \d+ s old": "read 3 s ago",
    r"not asked|may be sent|opted out": "mail: allowed, paused, stopped, unsubscribed",
    r"enrol\w*": "in a sequence",
    r"suppress\w*": "do not mail",
    r"in force": "live",
    r"caps?|capped": "limit",
    r"(re-?)?arm(s|ed|ing)?": "ready again below",
}
LEFT = re.compile(rf"\b({'|'.join(INSTEAD)})\b", re.IGNORECASE)
SHOWN_ATTRIBUTES = {"title", "placeholder", "aria-label", "data-label", "alt"}


class ShownText(HTMLParser):
    """The text of a page as its readers get it. `pre` and `textarea` have files, whose words are public."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.inside: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "pre", "textarea"):
            self.inside.append(tag)
        self.parts += [value for name, value in attributes if name in SHOWN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside and data.strip():
            self.parts.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def people(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A crowd in all states, and one of everything that a page shows."""
    at = now()
    with django_db_blocker.unblock(), transaction.atomic():
        list(crowd.make(120, at - timedelta(minutes=1)))
        api_keys.create_key("website")
        for kind in ("page", "calendly"):
            secret = "" if kind == "page" else "h"
            Form.objects.create(name=f"a-{kind}", kind=kind, address_hash=secret)
        ActivityType.objects.create(name="demo_request", label="Demo Request")
        key, text = api_keys.create_key("shop", write_only=True)
        Website.objects.create(api_key=key, write_key=text, domains=["shop.example"])
        for reason in Suppression.Reason:
            Suppression.objects.create(email=f"{reason}@example.com", reason=reason, created_at=at)
        Account.objects.create(account_id="77", seen_at=at)
        for handoff in Handoff.objects.delivered():
            Outcome.objects.create(
                handoff=handoff, model=ModelVersion.objects.latest("pk"), since=at, seen_at=at,
                state="refused", reason="BAD_TIMING",
            )  # fmt: skip
        Drift.objects.create(at=at, looked=19, differed=1, everybody=True, fields={"deals": 1})
        wrong = {"wrong": {"unknown": 2}, "unknown": [{"fix": ""}]}
        Report.objects.create(kind="comparison", at=at, looked_at=at, document=wrong)
        set_freshness(dict.fromkeys(CrmFreshness.Kind.values, at))
        for state in Import.State.values:
            row = an_upload("Email\nnobody\n")
            RejectedRow.objects.create(
                imported=row, line=2, cells=["nobody"], reason="email: is none"
            )
            counts = dict.fromkeys(WORDS, 2)
            Import.objects.filter(pk=row.pk).update(
                state=state,
                started_at=at,
                finished_at=at,
                undone_at=at,
                rows=9,
                done=2,
                counts=counts,
                undone=dict.fromkeys(UNDONE, 2),
                forecast={"counts": counts, "notes": ["A note."]},
            )
        AccessEntry.objects.create(at=at, way="command", place="crm_setup", by="ops", people=[1])
        yield
        transaction.set_rollback(True)


def lists() -> list[str]:
    """The labels of all models that have a page."""
    return sorted(model._meta.label_lower for model in admin.site._registry)


def pages(client: Client) -> Iterator[tuple[str, str]]:
    """Every page of the admin with its mark-up: lists, rows, forms for new ones, confirmations."""
    addresses = ["/admin/", "/admin/time-zone/", "/admin/password_change/",
                 "/admin/crm_sync/fieldmapping/plan/",
                 page("leadscoring.modelversion", a_draft("handoff: 70", "handoff: 56").pk, "publish")]  # fmt: skip
    for label in lists():
        rows = apps.get_model(label)._default_manager
        addresses += [page(label), f"{page(label)}add/"]
        most = 7 if label == "leadscoring.import" else 2  # each state has another page
        addresses += [page(label, row.pk) for row in rows.order_by("-pk")[:most]]
    for address in addresses:
        answer = client.get(address, follow=True)
        if answer.status_code != 403:  # nobody may add what the product writes
            yield address, answer.content.decode()
    for label in lists():
        row = apps.get_model(label)._default_manager.latest("pk")
        actions = admin.site._registry[type(row)].get_actions(client.get(page(label)).wsgi_request)
        for action in actions:
            if action != "delete_selected":
                yield f"{label} {action}", act(client, label, action, row.pk)


def test_no_page_says_what_only_who_wrote_it_understands(people: None) -> None:
    found = {
        f"{address}: {text}"
        for address, markup in pages(as_superuser())
        for text in ShownText(markup).parts
        if LEFT.search(text)
    }

    assert not found, "\n" + "\n".join(sorted(found))


def test_the_words_are_found_wherever_a_page_can_show_them() -> None:
    markup = """<p class="crossed">Was <b>enrolled</b> <a title="the cap of 50">twice</a>
        <textarea>rearm_below: 5</textarea><script>caps()</script><td data-label="Crossed">x</td>"""

    found = [text for text in ShownText(markup).parts if LEFT.search(text)]

    assert found == ["enrolled", "the cap of 50", "Crossed"]


MENU = [item for group in UNFOLD["SIDEBAR"]["navigation"] for item in group["items"]]


@pytest.mark.parametrize("item", MENU, ids=lambda item: item["title"])
def test_menu_title_and_breadcrumb_name_a_page_alike(people: None, item: dict[str, str]) -> None:
    markup = as_superuser().get(str(item["link"])).content.decode()

    title = re.search(r"<title>(.*?)</title>", markup, re.DOTALL)
    heading = re.search(r"<h1.*?</h1>", markup, re.DOTALL)
    assert title
    assert heading
    assert title[1].split("|")[0].strip() == item["title"]
    assert names(heading[0])[0] == item["title"]


@pytest.mark.parametrize("label", lists())
def test_a_rows_page_leads_back_to_its_list_by_the_name_of_the_menu(
    people: None, label: str
) -> None:
    client = as_superuser()
    row = apps.get_model(label)._default_manager.latest("pk")
    menu = {str(item["link"]): item["title"] for item in MENU}
    its_list = reverse(f"admin:{label.replace('.', '_')}_changelist")

    heading = re.search(r"<h1.*?</h1>", client.get(page(label, row.pk)).content.decode(), re.DOTALL)

    assert heading
    assert f'href="{its_list}"' in heading[0]
    assert names(heading[0])[0] == menu.get(its_list, names(heading[0])[0])


def names(heading: str) -> list[str]:
    """The parts of a breadcrumb, without the sign between them."""
    return [text for text in ShownText(heading).parts if text != "chevron_right"]
