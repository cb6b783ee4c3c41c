"""Reading the stand-in in a test: people who are linked with its records, and turns by a real clock."""

from django.utils.timezone import now

from crm_sync.account import check_account
from crm_sync.models import Cursor, Link, PullReport, Round
from crm_sync.pull.cursors import start_cursor
from crm_sync.pull.run import PullRun
from leadscoring.models import CrmState
from tests.crm_sync.makers import a_contact


def a_visit(crm, **more):
    at = now()
    return PullRun(crm, check_account(crm, at), at, PullReport(started_at=at), **more)


def a_linked(crm, there, email=""):
    """Somebody who is linked with a record there, and was looked at."""
    contact = a_contact(email)
    record_id = there.add_contact(contact.email)
    Link.objects.create(
        contact=contact,
        account_id=check_account(crm, now()).account_id,
        record_id=record_id,
        seen_at=now(),
    )
    a_visit(crm).see([contact.pk])
    return contact, record_id


def look_back(crm):
    """Cursors at the present."""
    Cursor.objects.all().delete()
    for kind in ("contacts", "deals"):
        start_cursor(a_visit(crm), kind)


def asked(there, part):
    return [each for each in there.seen() if part in each["path"]]


def effect_of(contact):
    return CrmState.objects.get(contact=contact).effect


def whole(kind=Round.Kind.RECORDS):
    return Round.objects.get(pk=kind).whole_since
