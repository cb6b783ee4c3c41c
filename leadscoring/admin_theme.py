"""How the admin looks: its name, its colours, and the sidebar, grouped by who uses what."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def has_permission(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: bool(request.user.has_perm(permission))


def _sidebar_item(title: str, icon: str, model: str, badge: str = "") -> dict[str, Any]:
    """Return a link to a model's list, shown to users with permission to see it."""
    app, _, name = model.partition(".")
    shown: dict[str, Any] = {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": has_permission(f"{app}.view_{name}"),
    }
    return shown | ({"badge": badge} if badge else {})


HOME = {"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Lead scoring",
    "SITE_HEADER": "Lead scoring",
    "SITE_SYMBOL": "sync_alt",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")}
    ],
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("admin.css")],
    "SCRIPTS": [lambda request: static("admin.js"), lambda request: static("time_zone.js")],
    # The first takes unfold's place for the second.
    "ACCOUNT": {
        "navigation": [
            {"title": "Account security", "link": reverse_lazy("mfa_index")},
            {"title": "Time zone", "link": reverse_lazy("time_zone")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "BORDER_RADIUS": "8px",
    "DASHBOARD_CALLBACK": "leadscoring.admin.dashboard.dashboard",
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .013 192)",
            "100": "oklch(94.8% .032 191)",
            "200": "oklch(90% .06 190)",
            "300": "oklch(83% .088 189)",
            "400": "oklch(73.5% .1 188)",
            "500": "oklch(62.5% .095 189)",
            "600": "oklch(52% .083 191)",
            "700": "oklch(44.5% .07 193)",
            "800": "oklch(38% .058 195)",
            "900": "oklch(33% .048 197)",
            "950": "oklch(24% .038 199)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Leads",
                "items": [
                    HOME,
                    _sidebar_item("Contacts", "group", "leadscoring.contact"),
                    _sidebar_item("Companies", "apartment", "leadscoring.company"),
                    _sidebar_item("Activities", "bolt", "leadscoring.activity"),
                    _sidebar_item("Activity types", "category", "leadscoring.activitytype"),
                    _sidebar_item("Sources", "input", "leadscoring.source"),
                    _sidebar_item("Forms", "list_alt", "leadscoring.form"),
                    _sidebar_item("Websites", "language", "leadscoring.website"),
                    _sidebar_item("Imports", "upload_file", "leadscoring.import"),
                    _sidebar_item("Scoring models", "tune", "leadscoring.modelversion"),
                ],
            },
            {
                "title": "Sequences",
                "items": [
                    _sidebar_item("Sequences", "forward_to_inbox", "sequences.sequence"),
                    _sidebar_item("People in sequences", "route", "sequences.enrollment"),
                    _sidebar_item("Mails", "outgoing_mail", "sequences.delivery"),
                    _sidebar_item("Do not mail", "unsubscribe", "sequences.suppression"),
                ],
            },
            {
                "title": "Sales and CRM",
                "items": [
                    _sidebar_item(
                        "Handoffs",
                        "handshake",
                        "crm_sync.handoff",
                        "crm_sync.admin.attention_badge",
                    ),
                    _sidebar_item("What became of leads", "flag", "crm_sync.outcome"),
                    _sidebar_item("Deals", "sell", "crm_sync.deal"),
                    _sidebar_item("Deal stages", "view_kanban", "crm_sync.stage"),
                    _sidebar_item("Routing rules", "alt_route", "crm_sync.routingrule"),
                    _sidebar_item("Reps", "support_agent", "crm_sync.owner"),
                    _sidebar_item("Field mapping", "swap_horiz", "crm_sync.fieldmapping"),
                    _sidebar_item("CRM account", "domain", "crm_sync.account"),
                ],
            },
            {
                "title": "Operations",
                "items": [
                    _sidebar_item("Access log entries", "visibility", "leadscoring.accessentry"),
                    _sidebar_item("API keys", "key", "leadscoring.apikey"),
                    _sidebar_item("Users", "person", "auth.user"),
                    _sidebar_item("Groups", "shield_person", "auth.group"),
                ],
            },
        ],
    },
}


def menu_title(url: str) -> str:
    """Return what the sidebar calls the page of an address; "" for one that it does not lead to."""
    groups: list[dict[str, Any]] = UNFOLD["SIDEBAR"]["navigation"]
    items = (item for group in groups for item in group["items"])
    return next((item["title"] for item in items if str(item["link"]) == url), "")
