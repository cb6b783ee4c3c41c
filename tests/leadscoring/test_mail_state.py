"""The list of contacts and a contact's page say in one word whether somebody may be mailed."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.utils.timezone import now

from leadscoring.initial_data import make_starting_rows
from leadscoring.models import Contact, CrmState
from sequences.models import Suppression
from tests.admin_pages import as_superuser, page

pytestmark = pytest.mark.django_db
DEAL = "Deal “Big One” is in negotiation"


@pytest.mark.parametrize(
    ("crm", "suppressed", "word", "reason"),
    [
        ({}, "", "allowed", ""),
        ({"effect": "pause", "reason": DEAL}, "", "paused", DEAL),
        ({"effect": "stop", "reason": DEAL}, "", "stopped", DEAL),
        ({"opted_out": True}, "", "unsubscribed", ""),
        ({}, "unsubscribed", "unsubscribed", ""),
        ({"effect": "pause", "reason": DEAL}, "crm_opt_out", "unsubscribed", ""),
        ({}, "bounced", "do not mail", ""),
        (None, "by_hand", "do not mail", ""),
    ],
)
def test_a_word_says_whether_somebody_may_be_mailed(
    crm: dict[str, object] | None, suppressed: str, word: str, reason: str
) -> None:
    at = now()
    ada = Contact.objects.create(email="ada@example.com")
    if crm is not None:
        CrmState.objects.create(contact=ada, since=at, seen_at=at, **crm)
    if suppressed:
        Suppression.objects.create(email=ada.email, reason=suppressed, created_at=at)
    client = as_superuser()

    listed = client.get(page("leadscoring.contact")).content.decode().partition("<tbody")[2]
    alone = client.get(page("leadscoring.contact", ada.pk)).content.decode()

    assert f">{word}</span>" in listed
    assert f">{word}</span>" in alone
    assert (DEAL in listed, DEAL in alone) == (bool(reason), bool(reason))


def test_nothing_is_said_of_somebody_about_whom_the_crm_was_not_asked() -> None:
    Contact.objects.create(email="ada@example.com")

    listed = as_superuser().get(page("leadscoring.contact")).content.decode()

    assert ">allowed<" not in listed


def test_permissions_that_are_stored_get_todays_names() -> None:
    permission = Permission.objects.get(codename="view_suppression")
    Permission.objects.filter(pk=permission.pk).update(name="Can view suppression")

    make_starting_rows(apps.get_app_config("sequences"))

    permission.refresh_from_db()
    assert permission.name == "Can view address not to mail"
