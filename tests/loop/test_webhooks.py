"""A change in the CRM reaches us by its webhook alone: real processes, and a poll that is an hour away."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from leadscoring import devservers
from sandbox.demo.stage import arrange, running
from tests.loop import printed as says
from tests.loop.outside import Outside, until

ADA = "ada@engines.example"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with ExitStack() as stack:
        stage = arrange(tmp_path, stack.enter_context(devservers.run_servers()))
        stage = replace(stage, environment={**stage.environment, "CRM_POLL_SECONDS": "3600"})
        stack.enter_context(running(stage))
        key = Outside(stage).run("create_api_key", "webhooks").out.strip()
        yield Outside(stage, key)


def test_a_stage_change_pauses_and_releases_by_its_webhook_alone(outside: Outside, tmp_path: Path):
    (tmp_path / "sequence.yaml").write_text(says.SEQUENCE)
    outside.run("sequence", "apply", str(tmp_path / "sequence.yaml"))
    outside.post("contacts", {"email": ADA})
    outside.run("sequence", "enroll", "nurture", ADA)
    outside.run("crm_pull")
    outside.send_webhooks()

    record_id = outside.made("contacts", email=ADA)
    deal_id = outside.deal(record_id, "contractsent", "Engines")
    until(lambda: outside.contact(ADA)["crm"]["effect"] == "pause")
    outside.changed("deals", deal_id, dealstage="qualifiedtobuy")
    until(lambda: outside.contact(ADA)["crm"]["effect"] == "none")

    assert outside.contact(ADA)["crm"]["record_id"] == record_id
