"""People and handoffs for the tests of crm_sync: only what matters is named."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from crm_sync.models import Handoff, HandoffTask, Owner
from crm_sync.receivers import new_reference
from leadscoring.models import Company, Contact, ModelVersion, Score

MONDAY = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
numbers = count(1)

PRICING: dict[str, Any] = {
    "rule": "pricing",
    "label": "Visited pricing",
    "group": "engagement",
    "points": 30.0,
    "count": 3,
    "last_at": "2026-05-03T15:00:00+00:00",
    "because": "Visited pricing 3 times, last on 3 May",
}
TITLE = {
    "rule": "title",
    "label": "Senior job title",
    "group": "fit",
    "points": 20.0,
    "count": 1,
    "last_at": None,
    "because": "Senior job title: VP Engineering",
}


def a_contact(email: str | None = "", company: str = "", **fields: Any) -> Contact:
    """Somebody with an address of their own, unless told otherwise."""
    if email == "":
        email = f"person{next(numbers)}@lead.example"
    if email is None:
        fields.setdefault("external_id", f"id-{next(numbers)}")
    known = Company.objects.get_or_create(name=company)[0] if company else None
    return Contact.objects.create(email=email, company=known, **fields)


def a_score(contact: Contact, **fields: Any) -> Score:
    given = {
        "model": ModelVersion.objects.published().earliest("pk"),
        "at": MONDAY,
        "total": 82.0,
        "fit": 42.0,
        "engagement": 40.0,
        "grade": "A1",
        "contributions": [PRICING, TITLE],
        "armed": False,
        "cycle": 1,
        "crossed_at": MONDAY,
    }
    return Score.objects.create(contact=contact, **(given | fields))


def a_handoff(
    contact: Contact | None = None, task: dict[str, Any] | None = None, **fields: Any
) -> Handoff:
    """A crossing on Monday at ten, due at once. `task`: of a delivered one, what became of its task."""
    given = {
        "contact": contact or a_contact(),
        "cycle": 1,
        "reference": new_reference(),
        "total": 82.0,
        "grade": "A1",
        "reasons": [PRICING, TITLE],
        "crossed_at": MONDAY,
        "due_at": MONDAY,
    }
    row = Handoff.objects.create(**(given | fields))
    if row.status == Handoff.Status.DELIVERED:
        as_made = {"seen_at": row.delivered_at, "text_total": row.total, "text_grade": row.grade}
        HandoffTask.objects.create(handoff=row, **(as_made | (task or {})))
    return row


def a_delivered(
    crossed_at: datetime,
    took: timedelta = timedelta(seconds=2),
    contact: Contact | None = None,
    **task: Any,
) -> Handoff:
    """A handoff that reached its rep some time after it crossed. `task`: what became of its task."""
    return a_handoff(
        contact,
        status="delivered",
        record_id="9",
        owner_id="1",
        task_id=f"t{next(numbers)}",
        crossed_at=crossed_at,
        task_tried_at=crossed_at,
        delivered_at=crossed_at + took,
        task=task,
    )


def a_rep(owner_id: str = "", **fields: Any) -> Owner:
    owner_id = owner_id or f"rep{next(numbers)}"
    return Owner.objects.create(owner_id=owner_id, seen_at=MONDAY, **fields)


def an_unsaved_rep(owner_id: str, **fields: Any) -> Owner:
    """For decisions, which need no database."""
    return Owner(pk=next(numbers), owner_id=owner_id, seen_at=MONDAY, **fields)
