"""What a new HubSpot account has, out of account.json: owners, pipelines, groups and properties.

Everything is kept as the JSON that the API answers; the file leaves out what is the same for all.
"""

import json
from pathlib import Path
from typing import Any

Definition = dict[str, Any]
Row = dict[str, Any]

PORTAL_ID = 20_250_001
BIRTH = "2024-02-01T08:00:00Z"
GIVEN: dict[str, Any] = json.loads(Path(__file__).with_name("account.json").read_text())
YES_NO = {"true": "Yes", "false": "No"}
FIELD_OF_TYPE = {
    "string": "text",
    "number": "number",
    "datetime": "date",
    "date": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
    "phone_number": "phonenumber",
}


def definition(
    name: str, label: str, groupName: str, type: str = "string", **more: Any
) -> Definition:
    """A property as the API shows it; `read_only` and `labels` are short for longer parts."""
    read_only = more.pop("read_only", False)
    labels = more.pop("labels", YES_NO if type == "bool" else {})
    return {
        "name": name,
        "label": label,
        "type": type,
        "fieldType": FIELD_OF_TYPE[type],
        "description": "",
        "groupName": groupName,
        "options": options(labels),
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "archived": False,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": True,
        "modificationMetadata": {
            "archivable": False,
            "readOnlyDefinition": True,
            "readOnlyValue": read_only,
        },
        "formField": False,
        "dataSensitivity": "non_sensitive",
    } | more


def options(labels: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"label": label, "value": value, "displayOrder": order, "hidden": False}
        for order, (value, label) in enumerate(labels.items())
    ]


def properties() -> dict[str, dict[str, Definition]]:
    """Default properties by object type and name."""
    return {
        kind: {row["name"]: definition(**row) for row in rows}
        for kind, rows in GIVEN["properties"].items()
    }


def groups() -> dict[str, dict[str, Row]]:
    return {
        kind: {
            name: {"name": name, "label": label, "displayOrder": order, "archived": False}
            for order, (name, label) in enumerate(labels.items())
        }
        for kind, labels in GIVEN["groups"].items()
    }


def owners() -> dict[str, Row]:
    """By id. A `userId` is another number than the `id`, so that mixing them up shows."""
    return {row["id"]: _owner(**row) for row in GIVEN["owners"]}


def _owner(id: str, userId: int, firstName: str, lastName: str, archived: bool = False) -> Row:
    return {
        "id": id,
        "email": f"{firstName.lower()}@sales.example",
        "type": "PERSON",
        "firstName": firstName,
        "lastName": lastName,
        "userId": userId,
        "userIdIncludingInactive": userId,
        "teams": [],
        "createdAt": BIRTH,
        "updatedAt": BIRTH,
        "archived": archived,
    }


def pipelines() -> dict[str, Row]:
    """By id: the default pipeline, which HubSpot dates to the epoch, and one whose labels say nothing.

    Only the metadata tells the stages of the second: one that is open is labelled "Closed lost", as a
    documented example has it.
    """
    return {
        row["id"]: {
            "id": row["id"],
            "label": row["label"],
            "displayOrder": order,
            "stages": [stage(*each, order=place) for place, each in enumerate(row["stages"])],
            "createdAt": row["createdAt"],
            "updatedAt": row["createdAt"],
            "archived": False,
        }
        for order, row in enumerate(GIVEN["pipelines"])
    }


def stage(id: str, label: str, probability: float, archived: str = "", *, order: int = 0) -> Row:
    """Metadata are strings, booleans too."""
    closed = str(probability in (0, 1)).lower()
    made: Row = {
        "id": id,
        "label": label,
        "displayOrder": order,
        "metadata": {"isClosed": closed, "probability": str(probability)},
        "createdAt": BIRTH,
        "updatedAt": BIRTH,
        "archived": bool(archived),
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }
    return made | ({"archivedAt": BIRTH} if archived else {})


LIFECYCLE: dict[str, str] = next(
    row["labels"] for row in GIVEN["properties"]["contacts"] if row["name"] == "lifecyclestage"
)
