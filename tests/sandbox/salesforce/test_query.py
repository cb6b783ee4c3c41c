"""SOQL: whom a query finds, what it refuses, and its pages."""

import pytest

from tests.sandbox.salesforce.conftest import DATA, Org, refusal


@pytest.fixture
def people(org: Org) -> None:
    org.lead("Ada", City="Rome", NumberOfEmployees=5, HasOptedOutOfEmail=True, FirstName="Augusta")
    org.lead("Bo", City="Oslo", NumberOfEmployees=50, Description="long")
    org.lead("Cy", Rating="Hot", Company="Rocket 100% Works_")


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("City = 'rome'", ["Ada"]),
        ("City != 'rome'", ["Bo", "Cy"]),
        ("City <> 'rome' AND City != null", ["Bo"]),
        ("City = null", ["Cy"]),
        ("City IN ('ROME', 'Oslo')", ["Ada", "Bo"]),
        ("City NOT IN ('Rome')", ["Bo", "Cy"]),
        ("NOT City = 'Rome'", ["Bo", "Cy"]),
        ("NOT (City = 'Rome' OR City = 'Oslo')", ["Cy"]),
        ("City > 'Paris'", ["Ada"]),
        ("NumberOfEmployees >= 5", ["Ada", "Bo"]),
        ("NumberOfEmployees < 6", ["Ada"]),
        ("NumberOfEmployees IN (50, 51)", ["Bo"]),
        ("HasOptedOutOfEmail = TRUE", ["Ada"]),
        ("HasOptedOutOfEmail = false", ["Bo", "Cy"]),
        ("Email LIKE '%@LEAD.example'", ["Ada", "Bo", "Cy"]),
        ("LastName LIKE '_o'", ["Bo"]),
        (r"Company LIKE '%100\% Works\_'", ["Cy"]),
        (r"Company LIKE '%1\_0%'", []),
        ("CreatedDate = TODAY", ["Ada", "Bo", "Cy"]),
        ("CreatedDate >= YESTERDAY", ["Ada", "Bo", "Cy"]),
        ("CreatedDate > TODAY", []),
        ("CreatedDate = LAST_N_DAYS:3", ["Ada", "Bo", "Cy"]),
        ("SystemModstamp > 2020-01-01T00:00:00.123Z", ["Ada", "Bo", "Cy"]),
        ("SystemModstamp < 2020-01-01T00:00:00+01:00", []),
        ("City = 'Rome' OR (City = 'Oslo' AND NumberOfEmployees = 50)", ["Ada", "Bo"]),
        ("Owner.Name = 'Marketing Integration'", ["Ada", "Bo", "Cy"]),
        ("Owner.Type = 'Queue'", []),
        ("(City = 'Rome') AND (Name = 'Augusta Ada')", ["Ada"]),
        ("OwnerId IN (SELECT Id FROM User WHERE LastName = 'Integration')", ["Ada", "Bo", "Cy"]),
        ("OwnerId NOT IN (SELECT Id FROM User)", []),
    ],
)  # fmt: skip
def test_a_query_finds_whom_it_should(org: Org, where: str, names: list[str]) -> None:
    rows = org.query(f"SELECT LastName FROM Lead WHERE {where} ORDER BY LastName")

    assert [each["LastName"] for each in rows] == names


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("ORDER BY City", ["Cy", "Bo", "Ada"]),
        ("ORDER BY City DESC", ["Cy", "Ada", "Bo"]),
        ("ORDER BY City NULLS LAST", ["Bo", "Ada", "Cy"]),
        ("ORDER BY HasOptedOutOfEmail, LastName DESC LIMIT 2", ["Cy", "Bo"]),
        ("ORDER BY Id LIMIT 1 OFFSET 1", ["Bo"]),
        ("", ["Cy", "Bo", "Ada"]),  # nobody may rely on the oldest coming first
    ],
)
def test_rows_come_in_the_order_that_was_asked_for(org: Org, order: str, names: list[str]) -> None:
    assert [each["LastName"] for each in org.query(f"SELECT LastName FROM Lead {order}")] == names


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("", "MALFORMED_QUERY"),
        ("SELECT FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE City = 'a' AND City = 'b' OR City = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE City = 'O'Hara'", "MALFORMED_QUERY"),
        (r"SELECT Id FROM Lead WHERE City = 'a\x'", "MALFORMED_QUERY"),
        (r"SELECT Id FROM Lead WHERE City = 'a\_'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE City = 'a' LIMIT 'b'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE City IN ()", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE City == 'a'", "MALFORMED_QUERY"),
        ('SELECT Id FROM Lead WHERE City = "a"', "MALFORMED_QUERY"),
        (f"SELECT Id FROM Lead WHERE City = '{'x' * 4_001}'", "MALFORMED_QUERY"),
        ("SELECT Id, COUNT(Id) FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Id IN (SELECT ConvertedContactId FROM Lead)", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE City = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE HasOptedOutOfEmail = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > 2026-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Description = 'long'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead ORDER BY Description", "INVALID_FIELD"),
        ("SELECT Nonsense FROM Lead", "INVALID_FIELD"),
        ("SELECT Owner.IsActive FROM Lead", "INVALID_FIELD"),
        ("SELECT Nonsense.Name FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Nonsense", "INVALID_TYPE"),
        ("SELECT Id FROM CustomField", "INVALID_TYPE"),
        ("SELECT Id FROM Lead WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Lead WHERE HasOptedOutOfEmail > TRUE", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(org: Org, soql: str, code: str) -> None:
    assert refusal(org.asked(soql)) == (400, code)


def test_quotes_and_backslashes_can_be_escaped(org: Org) -> None:
    org.lead("O'Hara \\ Söhne", Email="x@y.example")

    found = org.query(r"SELECT LastName FROM Lead WHERE LastName = 'O\'Hara \\ S\u00f6hne'")

    assert [each["LastName"] for each in found] == ["O'Hara \\ Söhne"]


def test_a_statement_may_be_longer_than_a_url_in_a_composite_and_no_longer_than_its_limit(
    org: Org,
) -> None:
    def asked(many: int) -> int:
        ids = ",".join(["'00Q000000000001EAA'"] * many)
        url = f"{DATA}/query?q=SELECT+Id+FROM+Lead+WHERE+Id+IN+({ids})"
        body = {"compositeRequest": [{"method": "GET", "url": url, "referenceId": "a"}]}
        answer = org.post(f"{DATA}/composite", body).json()
        return int(answer["compositeResponse"][0]["httpStatusCode"])

    assert (asked(4_000), asked(5_000)) == (200, 400)


def test_ids_differ_by_case_and_are_found_with_15_or_18_signs(org: Org) -> None:
    ids = [org.lead(f"P{number}") for number in range(70)]
    assert (
        len({each[:15].lower() for each in ids}) < len(ids) == len({each.lower() for each in ids})
    )

    found = [org.query(f"SELECT Id FROM Lead WHERE Id = '{each[:15]}'")[0]["Id"] for each in ids]

    assert found == ids


def test_fields_of_parents_are_told(org: Org) -> None:
    account = org.make("Account", Name="Acme", OwnerId=org.people.kim)
    org.contact("Ada", AccountId=account)
    org.contact("Bo")

    rows = org.query("SELECT Account.Name, Account.Owner.IsActive FROM Contact ORDER BY LastName")

    owner = {"type": "User", "url": f"{DATA}/sobjects/User/{org.people.kim}"}
    assert rows[0]["Account"]["Name"] == "Acme"
    assert rows[0]["Account"]["Owner"] == {"attributes": owner, "IsActive": True}
    assert rows[1]["Account"] is None


def test_an_owner_is_asked_for_what_it_is(org: Org) -> None:
    org.lead("Ada", OwnerId=org.people.queue)
    org.lead("Bo")

    rows = org.query(
        "SELECT Owner.Type, TYPEOF Owner WHEN User THEN IsActive ELSE Name END FROM Lead ORDER BY LastName"
    )

    assert [each["Owner"].get("Name") for each in rows] == ["Inbound leads", None]
    assert rows[1]["Owner"]["IsActive"] is True


def test_children_come_with_their_parents(org: Org) -> None:
    ada, bo = org.lead("Ada"), org.lead("Bo")
    org.task(ada, Subject="Write")
    org.task(ada, Subject="Call")

    rows = org.query(
        "SELECT Id, (SELECT Subject FROM Tasks ORDER BY Subject) FROM Lead ORDER BY Id"
    )

    assert [each["Id"] for each in rows] == [ada, bo]
    assert [each["Subject"] for each in rows[0]["Tasks"]["records"]] == ["Call", "Write"]
    assert rows[1]["Tasks"] is None


def test_rows_are_counted_and_grouped(org: Org) -> None:
    ada, bo = org.lead("Ada"), org.lead("Bo")
    for who in (ada, ada, bo):
        org.task(who, ActivityDate="2026-05-04")

    counted = org.asked("SELECT COUNT() FROM Task").json()
    grouped = org.query("SELECT WhoId, COUNT(Id), MAX(ActivityDate) last FROM Task GROUP BY WhoId")

    assert (counted["totalSize"], counted["records"]) == (3, [])
    assert {each["WhoId"]: each["expr0"] for each in grouped} == {ada: 2, bo: 1}
    assert {each["last"] for each in grouped} == {"2026-05-04"}


def test_pages_follow_one_another_and_are_as_long_as_the_org_likes(org: Org) -> None:
    org.sandbox.settings.most_rows = 3
    ids = [org.lead(f"P{number}") for number in range(7)]

    page = org.asked("SELECT Id FROM Lead ORDER BY Id").json()
    found = page["records"]
    while not page["done"]:
        page = org.get(page["nextRecordsUrl"]).json()
        found += page["records"]

    assert page["totalSize"] == 7
    assert "nextRecordsUrl" not in page
    assert [each["Id"] for each in found] == ids


def test_the_size_of_a_page_is_a_wish_within_bounds(org: Org) -> None:
    org.sandbox.settings.most_rows = 0
    for number in range(201):
        org.lead(f"P{number}")

    sizes = [
        len(
            org.asked("SELECT Id FROM Lead", Sforce_Query_Options=f"batchSize={wish}").json()[
                "records"
            ]
        )
        for wish in (1, 200, 2_000)
    ]

    assert sizes == [200, 200, 201]


def test_a_cursor_is_good_for_two_days(org: Org) -> None:
    org.sandbox.settings.most_rows = 1
    org.lead("Ada"), org.lead("Bo")
    more = org.asked("SELECT Id FROM Lead").json()["nextRecordsUrl"]
    first = org.get(more).status_code

    org.sandbox.settings.clock_ahead = 3 * 86_400.0

    assert first == 200
    assert refusal(org.get(more)) == (400, "INVALID_QUERY_LOCATOR")


def test_deleted_records_and_old_closed_tasks_are_in_query_all_alone(org: Org) -> None:
    ada, bo = org.lead("Ada"), org.lead("Bo")
    old, new = org.task(bo, Status="Completed"), org.task(bo)
    org.ask("DELETE", f"{DATA}/sobjects/Lead/{ada}")
    org.sandbox.settings.clock_ahead = 400 * 86_400.0

    def ids(kind: str, path: str) -> list[str]:
        return [each["Id"] for each in org.query(f"SELECT Id FROM {kind} ORDER BY Id", path)]

    assert (ids("Lead", "query"), ids("Lead", "queryAll")) == ([bo], [ada, bo])
    assert (ids("Task", "query"), ids("Task", "queryAll")) == ([new], [old, new])


def test_a_record_of_an_open_transaction_is_seen_when_it_ends_with_its_early_time(org: Org) -> None:
    early = org.lead("Early")
    rules = org.sandbox.store.rules
    rules.uncommitted.add(early)
    org.later()
    late = org.lead("Late")
    before = org.query("SELECT Id FROM Lead ORDER BY SystemModstamp")

    rules.uncommitted.clear()

    after = org.query("SELECT Id FROM Lead ORDER BY SystemModstamp")
    assert ([each["Id"] for each in before], [each["Id"] for each in after]) == (
        [late],
        [early, late],
    )
