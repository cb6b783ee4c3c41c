"""Create the fields that are missing, and tell the keys that Pipedrive gives them.

docs/pipedrive-facts.md#field-keys
"""

from collections.abc import Iterator, Sequence

from crm_sync.pipedrive.own_fields import OPT_OUT, OWN_FIELDS
from crm_sync.pipedrive.records.lists import object_of, text_at
from crm_sync.pipedrive.records.person_fields import (
    TYPES,
    FieldMemory,
    Fields,
    PersonField,
    definition_of,
    field_problem,
    find_field,
)
from crm_sync.pipedrive.transport.calls import CREATE_PERSON_FIELD
from crm_sync.pipedrive.transport.client import PipedriveClient
from crm_sync.pipedrive.transport.errors import NotPermitted
from crm_sync.port import CrmProperty, CrmRejected, CrmSilent, SetUpStep

OWN = {each.name: each for each in OWN_FIELDS}


def set_up_fields(
    client: PipedriveClient, memory: FieldMemory, wanted: Sequence[CrmProperty], *, plan: bool
) -> list[SetUpStep]:
    """Create what is missing; report what is of another type and leave it alone.

    A field that is there under another name than the mapping's is reported with its key.
    """
    fields = memory.read(client)
    every = [*wanted, *([] if any(each.name == OPT_OUT.name for each in wanted) else [OPT_OUT])]
    steps = [step for each in every for step in _steps(client, memory, fields, each, plan=plan)]
    if not plan:
        memory.forget()
    return steps


def field_of(memory: FieldMemory, fields: Fields, wanted: CrmProperty) -> PersonField | None:
    """Return the field that is meant; one of ours whatever people call it by now."""
    if own := OWN.get(wanted.name):
        return memory.own(fields, own)
    return find_field(fields, wanted)


def _steps(
    client: PipedriveClient,
    memory: FieldMemory,
    fields: Fields,
    wanted: CrmProperty,
    *,
    plan: bool,
) -> Iterator[SetUpStep]:
    found = field_of(memory, fields, wanted)
    if found is None:
        yield _made(client, wanted, plan=plan)
    elif problem := field_problem(wanted, found):
        yield SetUpStep(f"Use the field “{found.label}”", problem, wanted.name)
    elif found.code != wanted.name and wanted != OPT_OUT:
        what = f"Use the field “{found.label}” for {wanted.name}"
        yield SetUpStep(what, wanted=wanted.name, named=found.code)


def _made(client: PipedriveClient, wanted: CrmProperty, *, plan: bool) -> SetUpStep:
    what = f"Create the field “{wanted.label}” ({wanted.type.replace('_', ' ')})"
    if wanted.type not in TYPES:
        return SetUpStep(what, "Pipedrive has no type for it: map it in another format")
    if plan:
        return SetUpStep(what, wanted=wanted.name)
    try:
        found = object_of(client.ask(CREATE_PERSON_FIELD, definition_of(wanted)))
    except (CrmRejected, CrmSilent, NotPermitted) as error:
        return SetUpStep(what, str(error), wanted.name)
    return SetUpStep(what, wanted=wanted.name, named=text_at(found, "field_code"))
