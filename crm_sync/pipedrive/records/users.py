"""Read users: the people in sales to whom people and activities belong."""

from dataclasses import replace

from crm_sync.pipedrive.records.lists import id_text, objects_of, text_at
from crm_sync.pipedrive.transport.calls import USERS
from crm_sync.pipedrive.transport.client import Json, PipedriveClient
from crm_sync.port import CrmOwner


def read_users(client: PipedriveClient, own_user: str) -> list[CrmOwner]:
    """Return all users, which Pipedrive lists at once, inactive ones too.

    The token's user is the integration and takes no leads, unless nobody else is there.
    docs/pipedrive-facts.md#owners-of-new-records
    """
    found = [_user(item) for item in objects_of(client.ask(USERS)) if id_text(item.get("id"))]
    if not any(each.active for each in found if each.owner_id != own_user):
        return found
    return [replace(each, active=each.active and each.owner_id != own_user) for each in found]


def _user(item: Json) -> CrmOwner:
    email = text_at(item, "email")
    return CrmOwner(
        owner_id=id_text(item.get("id")),
        email=email,
        name=text_at(item, "name") or email,
        active=item.get("active_flag") is True and item.get("is_deleted") is not True,
    )
