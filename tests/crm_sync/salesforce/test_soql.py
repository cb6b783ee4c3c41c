from datetime import UTC, datetime, timedelta, timezone

import pytest

from crm_sync.salesforce.records.ids import full_id, object_of
from crm_sync.salesforce.records.soql import (
    LONGEST_ENCODED,
    for_each_part,
    id_literal,
    instant_literal,
    select,
    text_literal,
)
from tests.crm_sync.salesforce.writes import by_email

TAKEN = ["o'brien@x.example", "a%_@x.example", "a+b@x.example"]  # by Salesforce as addresses
HOSTILE = [
    *TAKEN,
    "a\\@x.example",
    "x' OR Email != 'y@x.example",
    "a\\' OR Id != '@x.example",
    'a"b@x.example',
    "a+b&c=d?#@x.example",
    "ünï@x.example",
    "😀@x.example",
    "a\nb@x.example",
    "x" * 240 + "@x.example",
]


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("Ada", "'Ada'"),
        ("O'Brien", r"'O\'Brien'"),
        ("a\\' OR x", r"'a\\\' OR x'"),
        ("a\nb\tc\0d", r"'a\nb\tc\u0000d'"),
        ("100%_", "'100%_'"),
        ("ü😀", "'ü😀'"),
    ],
)
def test_a_text_stays_within_its_quotes(text, literal):
    assert text_literal(text) == literal


def test_an_instant_stands_in_utc_without_a_plus():
    at = datetime(2026, 5, 4, 14, 0, 0, 120_000, tzinfo=timezone(timedelta(hours=2)))

    assert instant_literal(at) == "2026-05-04T12:00:00.120Z"
    assert instant_literal(datetime(2026, 5, 4, tzinfo=UTC)) == "2026-05-04T00:00:00.000Z"


@pytest.mark.parametrize("name", ["Id, (SELECT", "a b", "", "1a", "a'", "Name FROM User--"])
def test_what_is_no_name_of_a_field_is_in_no_query(name):
    with pytest.raises(ValueError, match="field"):
        select([name], "Lead")
    with pytest.raises(ValueError, match="field"):
        select(["Id"], name)


@pytest.mark.parametrize("text", ["", "1", "00Q' OR 'a'='a", "00Q00000000000", "x" * 19])
def test_what_is_no_id_is_in_no_query(text):
    assert full_id(text) == ""
    with pytest.raises(ValueError, match="id"):
        id_literal(text)


def test_short_ids_are_made_long():
    """Salesforce's own example of both forms."""
    assert full_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert full_id("001A0000006Vm9rIAC") == "001A0000006Vm9rIAC"
    assert object_of("00Q000000000001EAA") == "Lead"
    assert object_of("006000000000001AAA") == ""


def test_long_lists_are_cut_to_what_an_address_holds():
    emails = [f"{'ü' * 80}{number}@x.example" for number in range(300)]

    parts = list(for_each_part(emails, lambda part: f"WHERE Email IN {part}", text_literal))

    assert len(parts) > 1
    assert all(len(part.encode()) < LONGEST_ENCODED for part in parts)
    assert sum(part.count("@") for part in parts) == 300


def test_hostile_addresses_find_themselves_and_nobody_else(salesforce, there):
    bystander = there.add_contact("y@x.example")
    leads = {email: there.add("Lead", LastName="x", Company="x", Email=email) for email in TAKEN}

    found = salesforce.contacts_by_email([*HOSTILE, "nobody@x.example"], ["LastName"])

    assert {email: one.record_id for email, one in found.items()} == leads
    assert bystander not in {one.record_id for one in found.values()}


def test_hostile_values_are_kept_as_they_are(salesforce, there):
    name = 'O\'Brien \\ "x" %_ 😀 </script> {{7*7}}'

    (saved,) = salesforce.save_contacts([by_email("a@x.example", LastName=name)]).values()

    assert there.value(saved.record_id, "LastName") == name
    assert saved.properties["LastName"] == name
