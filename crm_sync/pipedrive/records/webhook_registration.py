"""Have Pipedrive send us what was changed, and tell whether it still does.

Pipedrive deletes a webhook that had no success for three days. Its list shows the password: nothing of
it may be logged. docs/pipedrive-facts.md#webhooks
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crm_sync.pipedrive.records.lists import objects_of, text_at
from crm_sync.pipedrive.transport.calls import CREATE_WEBHOOK, LIST_WEBHOOKS
from crm_sync.pipedrive.transport.client import PipedriveClient
from crm_sync.pipedrive.transport.errors import NotPermitted
from crm_sync.pipedrive.webhooks import KINDS, USER
from crm_sync.port import CrmRejected, SetUpStep


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """`address`: where Pipedrive is to send; "" for nowhere."""

    address: str = ""
    password: str = field(default="", repr=False)

    @property
    def wanted(self) -> bool:
        return bool(self.address and self.password)


def missing_webhooks(client: PipedriveClient, target: WebhookTarget) -> list[str]:
    """Return the kinds of records of which Pipedrive sends us nothing."""
    there = {
        text_at(each, "event_object")
        for each in objects_of(client.ask(LIST_WEBHOOKS))
        if text_at(each, "subscription_url") == target.address
        and text_at(each, "event_action") == "*"
        and each.get("is_active") in (True, 1)
    }
    return [kind for kind in KINDS if kind not in there]


def set_up_webhooks(
    client: PipedriveClient, target: WebhookTarget, *, plan: bool
) -> Sequence[SetUpStep]:
    """Register what is missing; nothing when webhooks are off."""
    if not target.wanted:
        return []
    steps = []
    for kind in missing_webhooks(client, target):
        what = f"Create the webhook for changes of each {kind}, sent to {target.address}"
        problem = "" if plan else _create(client, target, kind)
        steps.append(SetUpStep(what, problem))
    return steps


def _create(client: PipedriveClient, target: WebhookTarget, kind: str) -> str:
    """Return why it was refused, "" when it was not: Pipedrive tries the address first."""
    body = {
        "name": f"Lead scoring: {kind}",
        "subscription_url": target.address,
        "event_object": kind,
        "event_action": "*",
        "version": "2.0",
        "http_auth_user": USER,
        "http_auth_password": target.password,
    }
    try:
        client.ask(CREATE_WEBHOOK, body)
    except (CrmRejected, NotPermitted) as refused:
        return str(refused)
    return ""
