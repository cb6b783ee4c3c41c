"""Many rows in one statement."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leadscoring.common.bulk_sql import bulk_update
from leadscoring.models import Contact, CrmState
from tests.makers import NOON, a_contact

pytestmark = pytest.mark.django_db


def test_the_named_columns_of_all_rows_are_written_in_one_statement():
    people = [a_contact(), a_contact()]
    for number, contact in enumerate(people):
        contact.job_title, contact.properties, contact.country = (
            f"VP {number}",
            {"n": [number]},
            "DE",
        )

    with CaptureQueriesContext(
        connection,
    ) as asked:
        bulk_update(Contact, people, ["job_title", "properties"])

    assert len(asked) == 1
    rows = Contact.objects.order_by("pk").values_list("job_title", "properties", "country")
    assert list(rows) == [("VP 0", {"n": [0]}, ""), ("VP 1", {"n": [1]}, "")]


def test_a_row_is_found_by_its_primary_key_whatever_that_is_called():
    states = [
        CrmState.objects.create(contact=a_contact(), seen_at=NOON, since=NOON) for _ in range(2)
    ]
    states[1].seen_at = NOON + timedelta(hours=1)

    bulk_update(CrmState, states[1:], ["seen_at"])

    seen = dict(CrmState.objects.values_list("pk", "seen_at"))
    assert seen == {states[0].pk: NOON, states[1].pk: NOON + timedelta(hours=1)}


def test_no_rows_are_no_statement():
    with CaptureQueriesContext(connection) as asked:
        bulk_update(Contact, [], ["email"])

    assert not asked.captured_queries
