"""Things to test with. Only what matters is named; the rest is made up, and different each time."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Sum
from django.utils.timezone import now

from leadscoring import api_keys
from leadscoring.intake.people import record_profile_changes
from leadscoring.intake.uploads import reading, store
from leadscoring.models import Activity, ApiKey, Company, Contact, Import, SourceCount

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
numbers = count(1)


def a_contact(at: datetime = NOON, company: str = "", **fields: Any) -> Contact:
    """A contact known since `at`, with an address of their own unless an identifier is given."""
    if not {"email", "external_id"} & set(fields):
        fields["email"] = f"person{next(numbers)}@example.com"
    if company:
        fields["company"], _ = Company.objects.get_or_create(name=company)
    contact = Contact.objects.create(**fields)
    record_profile_changes([contact], at)
    return contact


def an_activity(contact: Contact | None = None, **fields: Any) -> Activity:
    """Something a contact did at noon; scores do not follow."""
    made_up = {
        "source": "tests",
        "event_id": f"event-{next(numbers)}",
        "type": "page_view",
        "occurred_at": NOON,
    }
    return Activity.objects.create(contact=contact or a_contact(), **{**made_up, **fields})


def an_api_key(name: str = "") -> tuple[ApiKey, str]:
    """A key and its text."""
    return api_keys.create_key(name or f"key {next(numbers)}")


def an_upload(text: str, kind: str = "people", by: str = "mara", **choices: Any) -> Import:
    """A file of which everything is as it was guessed, but for what is chosen here."""
    user = User.objects.filter(username=by).first() or User.objects.create_user(by)
    row = store.keep_upload(kind, "leads.csv", len(text), [text.encode()], user, now())
    look = reading.look_at(row, now())
    row.titles, row.choices = look.titles, {**look.choices, "zone": "UTC", **choices}
    row.save()
    return row


def came_and_refused() -> tuple[int, int]:
    """How many items were sent and not taken, whatever five minutes they are counted in."""
    sums = SourceCount.objects.aggregate(came=Sum("came"), refused=Sum("not_taken"))
    return sums["came"], sums["refused"]
