"""From the scores' transaction to the worker's bell."""

from typing import Any

import pytest
from django.db import transaction

from crm_sync import receivers
from crm_sync.models import Handoff
from leadscoring.extensions import contact_details
from leadscoring.signals import Crossing, threshold_crossed
from tests.crm_sync.makers import MONDAY, PRICING, a_contact, a_handoff

pytestmark = pytest.mark.django_db


def a_crossing(**fields):
    given: dict[str, Any] = {
        "contact_id": a_contact().pk,
        "cycle": 1,
        "at": MONDAY,
        "total": 82.0,
        "grade": "A1",
        "reasons": [PRICING],
    }
    return Crossing(**(given | fields))


def test_a_crossing_becomes_a_row_that_is_due_at_once():
    threshold_crossed.send(None, crossings=[a_crossing()])

    row = Handoff.objects.get()
    assert (row.status, row.total, row.grade, row.due_at) == ("waiting", 82.0, "A1", MONDAY)
    assert row.reasons == [PRICING]


def test_a_crossing_that_is_withheld_has_its_row_and_its_reason(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rings:
        threshold_crossed.send(None, crossings=[a_crossing(withheld="Published quietly.")])

    row = Handoff.objects.get()
    assert (row.status, row.reason) == ("withdrawn", "Published quietly.")
    assert rings == []


def test_references_are_many_and_have_no_letter_that_looks_like_a_figure():
    references = {receivers.new_reference() for _ in range(1000)}

    assert len(references) == 1000
    assert all(len(each) == 15 and not set("ILOU") & set(each[3:]) for each in references)


def test_many_rows_of_a_transaction_ring_once(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rings:
        threshold_crossed.send(None, crossings=[a_crossing() for _ in range(20)])

    assert rings == [receivers.wake_delivery]


def test_what_is_rolled_back_does_not_ring(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rings:
        with transaction.atomic():
            threshold_crossed.send(None, crossings=[a_crossing()])
            transaction.set_rollback(True)
        threshold_crossed.send(None, crossings=[a_crossing()])

    assert rings == [receivers.wake_delivery]


def test_a_saved_row_that_is_not_new_does_not_ring(django_capture_on_commit_callbacks):
    row = a_handoff()

    with django_capture_on_commit_callbacks() as rings:
        row.save()

    assert rings == []


def test_a_contact_is_described_with_its_handoffs():
    ada = a_contact("ada@engines.example")
    a_handoff(ada)
    newest = a_handoff(ada, cycle=2)

    told = contact_details["handoffs"](ada, MONDAY)

    assert [each["cycle"] for each in told] == [2, 1]
    assert told[0]["reference"] == newest.reference
