"""Mark people as wanting no mail: in a field of the account, and in Campaigns where it is in use.

docs/pipedrive-facts.md#opt-out
"""

from collections.abc import Sequence

from crm_sync.pipedrive.own_fields import OPT_OUT, OPTED_OUT
from crm_sync.pipedrive.records.campaigns import MARKETING_STATUS, UNSUBSCRIBED, UNWANTED
from crm_sync.pipedrive.records.field_values import value_text
from crm_sync.pipedrive.records.lists import object_of, text_at, write_one_by_one
from crm_sync.pipedrive.records.person_search import PersonFinder, folded
from crm_sync.pipedrive.records.persons import PersonReader
from crm_sync.pipedrive.transport.calls import UPDATE_PERSON
from crm_sync.pipedrive.transport.client import Json
from crm_sync.port import CrmDenied, CrmError, CrmRejected

NOWHERE = "Pipedrive has no field that says who wants no mail. Run crm_setup, which makes it."


def opt_out_persons(
    reader: PersonReader, finder: PersonFinder, emails: Sequence[str]
) -> dict[str, CrmError | None]:
    """Return by address None when its person is marked, or when nobody there has it."""
    if not emails:
        return {}
    items = finder.items(reader, emails, [])
    wishes = [(email, email) for email in dict.fromkeys(emails)]
    return write_one_by_one(wishes, lambda email: _mark(reader, email, items))


def _mark(reader: PersonReader, email: str, items: dict[str, Json]) -> None:
    if "@" not in email:
        raise CrmRejected("It is no e-mail address.")
    item = items.get(folded(email))
    if item is None:
        return  # nobody there, so nothing is mailed from there
    body = _body(reader, item)
    if body:
        found = object_of(reader.client.ask(UPDATE_PERSON, body, record_id=str(item.get("id"))))
        _check_marked(reader, body, found)


def _body(reader: PersonReader, item: Json) -> Json:
    """Return what is to be written; {} when all is marked already."""
    field = reader.memory.own(reader.fields(), OPT_OUT)
    has_campaigns = reader.campaigns.are_there(reader.client)
    if field is None and not has_campaigns:
        raise CrmDenied(NOWHERE)
    body: Json = {}
    if field and not object_of(item, "custom_fields").get(field.code):
        body["custom_fields"] = {field.code: field.option_id(OPTED_OUT)}
    if has_campaigns and text_at(item, MARKETING_STATUS) not in UNWANTED:
        body[MARKETING_STATUS] = UNSUBSCRIBED
    return body


def _check_marked(reader: PersonReader, body: Json, found: Json) -> None:
    """Raise CrmRejected when a value is as it was: a change that is not allowed is ignored there."""
    field = reader.memory.own(reader.fields(), OPT_OUT)
    kept = object_of(found, "custom_fields")
    if field and "custom_fields" in body and not value_text(kept.get(field.code), field):
        raise CrmRejected(f"Pipedrive did not keep “{field.label}”.")
    if MARKETING_STATUS in body and text_at(found, MARKETING_STATUS) not in ("", *UNWANTED):
        raise CrmRejected("Pipedrive did not change the person's marketing status.")
