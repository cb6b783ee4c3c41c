from datetime import date

import pytest

from crm_sync.hubspot.transport.calls import CALLS, register_calls
from crm_sync.hubspot.transport.versions import CLASSIC, DATED, ENDS, path_in


@pytest.mark.parametrize(
    ("classic", "dated"),
    [
        ("/crm/v3/objects/contacts/batch/upsert", "/crm/objects/2026-03/contacts/batch/upsert"),
        ("/crm/v3/objects/contacts/{id}", "/crm/objects/2026-03/contacts/{id}"),
        (
            "/crm/v4/associations/contacts/deals/batch/read",
            "/crm/associations/2026-03/contacts/deals/batch/read",
        ),
        ("/crm/v3/owners", "/crm/owners/2026-03"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-03/deals"),
        ("/account-info/v3/details", "/account-info/2026-03/details"),
        (
            "/communication-preferences/v4/statuses/{id}",
            "/communication-preferences/2026-03/statuses/{id}",
        ),
    ],
)
def test_a_version_by_date_writes_a_path_so(classic, dated):
    assert path_in("2026-03", classic) == dated
    assert path_in(CLASSIC, classic) == classic


def test_all_of_the_crm_is_asked_in_the_version_that_was_set():
    for version in DATED:
        strange = [call.path for call in register_calls(version) if version not in call.path]

        assert strange == []


def test_every_call_says_when_its_version_ends():
    ends = {call.until for version in (CLASSIC, *DATED) for call in register_calls(version)}

    assert ends == set(ENDS.values())
    assert min(ends) == date(2027, 3, 30)


def test_the_kind_of_records_is_the_same_in_every_version():
    for version in DATED:
        assert [call.in_version(version).records for call in CALLS] == [
            call.records for call in CALLS
        ]
