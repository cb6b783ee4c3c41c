"""What a new stand-in holds: four reps, two deal pipelines, the default properties, no records."""

from typing import Any

from .definitions import GROUPS

PORTAL_ID = 20_250_001
BIRTH = "2024-02-01T08:00:00Z"
EPOCH = "1970-01-01T00:00:00Z"  # HubSpot dates its default pipeline to the epoch

Owner = dict[str, Any]
Pipeline = dict[str, Any]


def owners() -> dict[str, Owner]:
    """By id. A `userId` is another number than the `id`, so that mixing them up shows."""
    people = [
        _owner("712340001", 48_110_021, "Kim", "Park"),
        _owner("712340002", 48_110_035, "Ana", "Silva"),
        _owner("712340003", 48_110_048, "Lee", "Moreno"),
        _owner("712340004", 48_110_052, "Tom", "Berg", archived=True),
    ]
    return {person["id"]: person for person in people}


def _owner(id_: str, user_id: int, first: str, last: str, *, archived: bool = False) -> Owner:
    return {
        "id": id_,
        "email": f"{first.lower()}@sales.example",
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": user_id,
        "userIdIncludingInactive": user_id,
        "teams": [],
        "createdAt": BIRTH,
        "updatedAt": BIRTH,
        "archived": archived,
    }


def pipelines() -> dict[str, Pipeline]:
    """The default pipeline, and one whose labels say nothing: only the metadata tells its stages.

    Its second stage is labelled "Closed lost" although it is open, as a documented example has it.
    """
    sales = [
        stage("appointmentscheduled", "Appointment Scheduled", 0.2),
        stage("qualifiedtobuy", "Qualified To Buy", 0.4),
        stage("presentationscheduled", "Presentation Scheduled", 0.6),
        stage("decisionmakerboughtin", "Decision Maker Bought-In", 0.8),
        stage("contractsent", "Contract Sent", 0.9),
        stage("closedwon", "Closed Won", 1.0, closed=True),
        stage("closedlost", "Closed Lost", 0.0, closed=True),
    ]
    partners = [
        stage("148830201", "Warm-up", 0.1),
        stage("148830202", "Closed lost (revived)", 0.3),
        stage("148830203", "Haggling", 0.7),
        stage("148830204", "Handshake (old)", 0.9, archived=True),
        stage("148830205", "Party", 1.0, closed=True),
        stage("148830206", "Maybe next year", 0.0, closed=True),
    ]
    return {
        "default": _pipeline("default", "Sales Pipeline", 0, sales, EPOCH),
        "74830011": _pipeline("74830011", "Partner deals", 1, partners, BIRTH),
    }


def stage(
    id_: str, label: str, probability: float, *, closed: bool = False, archived: bool = False
) -> dict[str, Any]:
    """Metadata are strings, booleans too."""
    made: dict[str, Any] = {
        "id": id_,
        "label": label,
        "displayOrder": 0,
        "metadata": {"isClosed": str(closed).lower(), "probability": str(probability)},
        "createdAt": BIRTH,
        "updatedAt": BIRTH,
        "archived": archived,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }
    return made | ({"archivedAt": BIRTH} if archived else {})


def _pipeline(
    id_: str, label: str, order: int, stages: list[dict[str, Any]], created_at: str
) -> Pipeline:
    numbered = [each | {"displayOrder": order} for order, each in enumerate(stages)]
    return {
        "id": id_,
        "label": label,
        "displayOrder": order,
        "stages": numbered,
        "createdAt": created_at,
        "updatedAt": created_at,
        "archived": False,
    }


def groups() -> dict[str, dict[str, dict[str, Any]]]:
    return {
        kind: {
            name: {"name": name, "label": label, "displayOrder": order, "archived": False}
            for order, (name, label) in enumerate(labels.items())
        }
        for kind, labels in GROUPS.items()
    }
