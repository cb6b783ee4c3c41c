"""What a new company has: users, pipelines, types of activity and fields, as the API answers them."""

from typing import Any

from .settings import API_USER

Item = dict[str, Any]
COMPANY_ID = 9_120_045
DOMAIN = "northwind-sandbox"
BIRTH = "2024-02-01T08:00:00Z"
OLD_BIRTH = "2024-02-01 08:00:00"
KIM, ANA, LEE, TOM = 7_002, 7_003, 7_004, 7_005
PEOPLE = (
    (API_USER, "Lead Scoring", "lead.scoring@sales.example", True),
    (KIM, "Kim Berg", "kim@sales.example", True),
    (ANA, "Ana Costa", "ana@sales.example", True),
    (LEE, "Lee Wong", "lee@sales.example", True),
    (TOM, "Tom Reed", "tom@sales.example", False),
)
STAGES: dict[tuple[int, str, bool], list[tuple[int, str, int]]] = {
    # A probability that nobody set is 100, and counts only where the pipeline says so.
    (1, "Sales", True): [
        (11, "Qualified", 10),
        (12, "Contact Made", 20),
        (13, "Demo Scheduled", 40),
        (14, "Proposal Made", 60),
        (15, "Negotiations Started", 80),
    ],
    (2, "Renewals", False): [(21, "Due", 100), (22, "Offer sent", 100)],
}
TYPES = ("call", "meeting", "task", "deadline", "email", "lunch")
LABELS = ("Customer", "Hot lead", "Warm lead", "Cold lead")
# code: name, type
PERSON_FIELDS = {
    "id": ("ID", "int"),
    "name": ("Name", "varchar"),
    "first_name": ("First name", "varchar"),
    "last_name": ("Last name", "varchar"),
    "emails": ("Email", "varchar"),
    "phones": ("Phone", "phone"),
    "owner_id": ("Owner", "user"),
    "org_id": ("Organization", "org"),
    "add_time": ("Person created", "date"),
    "update_time": ("Update time", "date"),
    "visible_to": ("Visible to", "visible_to"),
    "label_ids": ("Labels", "set"),
    "picture_id": ("Profile picture", "picture"),
    "open_deals_count": ("Open deals", "int"),
    "closed_deals_count": ("Closed deals", "int"),
    "undone_activities_count": ("Activities to do", "int"),
    "done_activities_count": ("Done activities", "int"),
    "last_incoming_mail_time": ("Last email received", "date"),
    "last_outgoing_mail_time": ("Last email sent", "date"),
}
COUNTED = ("_count", "_mail_time")


def users() -> dict[int, Item]:
    return {id_: _user(id_, name, email, active) for id_, name, email, active in PEOPLE}


def _user(id_: int, name: str, email: str, active: bool) -> Item:
    is_admin = id_ == API_USER
    return {
        "id": id_,
        "name": name,
        "default_currency": "EUR",
        "locale": "en_US",
        "lang": 1,
        "email": email,
        "phone": None,
        "activated": True,
        "last_login": OLD_BIRTH,
        "created": OLD_BIRTH,
        "modified": OLD_BIRTH,
        "has_created_company": is_admin,
        "access": [
            {"app": app, "admin": is_admin, "permission_set_id": f"set-{app}"}
            for app in ("sales", "global")
        ],
        "active_flag": active,
        "timezone_name": "Europe/Berlin",
        "timezone_offset": "+01:00",
        "role_id": 1,
        "icon_url": None,
        "is_you": False,
        "is_deleted": not active,
    }


def activity_types() -> list[Item]:
    made = [_type(number, key, True) for number, key in enumerate(TYPES, 1)]
    return [*made, _type(len(TYPES) + 1, "fax", False)]  # retired


def _type(number: int, key: str, active: bool) -> Item:
    return {
        "id": number,
        "name": key.capitalize(),
        "icon_key": key if key in TYPES else "document",
        "color": "FFFFFF",
        "order_nr": number,
        "key_string": key,
        "active_flag": active,
        "is_custom_flag": False,
        "add_time": OLD_BIRTH,
        "update_time": OLD_BIRTH,
    }


def pipelines() -> tuple[dict[int, Item], dict[int, Item]]:
    """Pipelines and stages, each by id."""
    lines: dict[int, Item] = {}
    stages: dict[int, Item] = {}
    times = {"add_time": BIRTH, "update_time": BIRTH}
    for order, ((id_, name, counts), members) in enumerate(STAGES.items(), 1):
        lines[id_] = {
            "id": id_,
            "name": name,
            "order_nr": order,
            "is_deleted": False,
            "is_deal_probability_enabled": counts,
        } | times
        for place, (stage_id, label, probability) in enumerate(members, 1):
            stages[stage_id] = {
                "id": stage_id,
                "order_nr": place,
                "name": label,
                "is_deleted": False,
                "deal_probability": probability,
                "pipeline_id": id_,
                "is_deal_rot_enabled": False,
                "days_to_rotten": None,
            } | times
    return lines, stages


def fields() -> dict[str, dict[str, Item]]:
    """Fields of each kind of record, by code."""
    persons = {
        code: field(code, name, kind, optional=code.endswith(COUNTED))
        for code, (name, kind) in PERSON_FIELDS.items()
    }
    persons["label_ids"]["options"] = [
        {"id": number, "label": label, "color": "green", "add_time": BIRTH, "update_time": BIRTH}
        for number, label in enumerate(LABELS, 1)
    ]
    return {"persons": persons, "deals": {}, "organizations": {}}


def field(code: str, name: str, kind: str, *, custom: bool = False, optional: bool = False) -> Item:
    return {
        "field_name": name,
        "field_code": code,
        "field_type": kind,
        "options": None,
        "subfields": None,
        "is_custom_field": custom,
        "is_optional_response_field": optional,
        "ui_visibility": {
            "add_visible_flag": False,
            "details_visible_flag": True,
            "show_in_add_deal_dialog": {"show": False, "order": None},
        },
        "important_fields": {"enabled": False, "stage_ids": []},
        "required_fields": {"enabled": False},
    }
