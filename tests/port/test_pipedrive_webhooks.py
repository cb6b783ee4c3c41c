"""From an account of Pipedrive to our hints: asked for by the adapter, sent by the stand-in."""

import json
from datetime import UTC, datetime

from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.pipedrive.records.webhook_registration import WebhookTarget
from crm_sync.pipedrive.webhooks import PipedriveWebhooks
from crm_sync.port import CrmForged, CrmHint, Posted
from tests.port.pipedrive_side import TOKEN, PipedriveSide
from tests.sandbox.pipedrive.test_webhooks import Ear, ear

__all__ = ["ear"]


def test_a_merge_is_told_as_such_and_only_with_the_password(
    pipedrive_sandbox, settings, ear: Ear
) -> None:
    target = WebhookTarget(ear.url, "long and random")
    crm = Pipedrive(TOKEN, pipedrive_sandbox.url, settings.REDIS_URL, target)
    crm.set_up(list(crm.made_properties), plan=False)
    there = PipedriveSide(pipedrive_sandbox)
    kept, gone = there.add_contact("ada@x.example"), there.add_contact("bo@x.example")

    there.merge(kept, gone)

    assert pipedrive_sandbox.state.webhooks.settled()
    hints: list[CrmHint] = []
    forged = 0
    for password, told in ear.told:
        posted = Posted("POST", ear.url, {"authorization": password}, json.dumps(told).encode())
        hints += PipedriveWebhooks(target.password).hints(posted, datetime.now(UTC))
        try:
            PipedriveWebhooks("another").hints(posted, datetime.now(UTC))
        except CrmForged:
            forged += 1
    assert {each.record_id: each.merged_into for each in hints if each.merged_into} == {gone: kept}
    assert {each.account_id for each in hints} == {crm.account().id}
    assert forged == len(ear.told) == 4
