"""For the tests of the admin: who looks at it, and all of its pages."""

from django.contrib.auth.models import Group, Permission, User
from django.test import Client

LISTS = {
    "leadscoring": [
        "contact",
        "company",
        "activity",
        "activitytype",
        "modelversion",
        "apikey",
        "accessentry",
        "source",
        "form",
        "import",
        "website",
    ],
    "sequences": ["sequence", "enrollment", "delivery", "suppression"],
    "crm_sync": [
        "handoff",
        "deal",
        "stage",
        "owner",
        "routingrule",
        "fieldmapping",
        "account",
        "outcome",
        "rejectingstatus",
    ],
}
HOSTILE = "<script>alert(1)</script>{{ 7|add:7 }}\u202eevil"


def as_(group: str = "") -> Client:
    """A browser in which somebody of a group is signed in; "": a staff user who may do nothing."""
    user = User.objects.create_user(group or "nobody", is_staff=True)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return signed_in(user)


def as_one_who_may(*permissions: str) -> Client:
    """A staff user who has these permissions alone, as "app.codename"."""
    user = User.objects.create_user("particular", is_staff=True)
    for app, _, codename in (permission.partition(".") for permission in permissions):
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return signed_in(user)


def as_superuser() -> Client:
    return signed_in(User.objects.create_superuser("root"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(model: str, pk: object = None, verb: str = "change") -> str:
    """`page("crm_sync.handoff")` is its list, with a pk a row's page."""
    address = f"/admin/{model.replace('.', '/')}/"
    return address if pk is None else f"{address}{pk}/{verb}/"


def act(client: Client, model: str, action: str, *rows: int, **fields: str) -> str:
    """Use an action of a list on rows; answers the page that follows, without its mark-up's escapes."""
    data = {"action": action, "_selected_action": [str(pk) for pk in rows], "index": "0", **fields}
    return client.post(page(model), data, follow=True).content.decode()
