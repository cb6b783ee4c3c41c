"""Many requests in one."""

from typing import Any

from tests.sandbox.salesforce.conftest import DATA, Org, refusal


def part(method: str, path: str, name: str, body: Any = None) -> dict[str, Any]:
    made = {"method": method, "url": f"{DATA}{path}", "referenceId": name}
    return made if body is None else made | {"body": body}


def send(org: Org, *parts: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    answer = org.post(f"{DATA}/composite", {"compositeRequest": list(parts), **more})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["compositeResponse"]
    return found


ADA = {"LastName": "Ada", "Company": "Acme"}


def test_parts_are_answered_by_name_and_may_refer_to_earlier_ones(org: Org) -> None:
    found = send(
        org, part("POST", "/sobjects/Lead", "lead", ADA),
        part("POST", "/sobjects/Task", "task", {"WhoId": "@{lead.id}"}),
        part("GET", "/query?q=SELECT+WhoId+FROM+Task+WHERE+WhoId='@{lead.id}'", "found"),
    )  # fmt: skip

    assert [(each["referenceId"], each["httpStatusCode"]) for each in found] == [
        ("lead", 201), ("task", 201), ("found", 200),
    ]  # fmt: skip
    assert found[2]["body"]["totalSize"] == 1


def test_a_part_fails_alone_but_for_those_that_refer_to_it(org: Org) -> None:
    found = send(
        org, part("POST", "/sobjects/Lead", "bad", {"LastName": "x"}),
        part("POST", "/sobjects/Task", "after", {"WhoId": "@{bad.id}"}), part("POST", "/sobjects/Lead", "good", ADA),
    )  # fmt: skip

    assert [each["httpStatusCode"] for each in found] == [400, 400, 201]
    assert found[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_all_or_none_undoes_what_was_done(org: Org) -> None:
    found = send(
        org, part("POST", "/sobjects/Lead", "good", ADA), part("POST", "/sobjects/Lead", "bad", {"LastName": "x"}),
        allOrNone=True,
    )  # fmt: skip

    assert [each["body"][0]["errorCode"] for each in found] == [
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
    ]
    assert org.query("SELECT Id FROM Lead") == []


def test_it_is_one_call(org: Org) -> None:
    answer = org.post(
        f"{DATA}/composite",
        {"compositeRequest": [part("GET", "/limits", f"p{n}") for n in range(25)]},
    )

    assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=1/")


def test_there_are_limits_to_it(org: Org) -> None:
    query = "/query?q=SELECT+Id+FROM+Lead"
    refused = [
        [part("GET", "/limits", f"p{n}") for n in range(26)],
        [part("GET", query, f"p{n}") for n in range(6)],
        [part("GET", "/limits", "same"), part("GET", "/limits", "same")],
        [part("GET", "/limits", "x") | {"nonsense": 1}],
        [part("POST", "/composite", "inner", {})],
        [],
    ]

    answers = [org.post(f"{DATA}/composite", {"compositeRequest": parts}) for parts in refused]

    assert [refusal(each)[0] for each in answers] == [400] * 6
