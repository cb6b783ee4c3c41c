"""The HTML of a form, to be pasted into a web page. It works without any script."""

from html import escape

from django.conf import settings

from leadscoring.models import Form, FormField

TRAP = "your_fax"  # people do not see this field; robots fill in all there are
VISITOR = "anonymous_id"
Becomes = FormField.Becomes
# What a form without rows asks for; the names say what becomes of them.
USUAL = (
    ("email", "E-mail", Becomes.EMAIL),
    ("first_name", "First name", Becomes.FIRST_NAME),
    ("last_name", "Last name", Becomes.LAST_NAME),
    ("company", "Company", Becomes.COMPANY),
)
TYPES = {Becomes.EMAIL: "email", Becomes.PHONE: "tel", Becomes.NO_MAIL: "checkbox"}
HIDDEN = (Becomes.VISITOR, Becomes.TIME, Becomes.EVENT_ID)


def form_html(form: Form) -> str:
    rows = [(row.name, row.name, row.becomes) for row in form.fields.order_by("pk")]
    asked = [one for one in rows if one[2] not in HIDDEN]
    if asked and not any(becomes == Becomes.EMAIL for *_, becomes in asked):
        asked.insert(0, USUAL[0])
    lines = [
        f'<form method="post" action="{escape(settings.BASE_URL)}/forms/{form.name}" accept-charset="utf-8">',
        *(_input(*one) for one in asked or USUAL),
        f'  <p hidden><label>Leave this empty: <input name="{TRAP}" tabindex="-1" autocomplete="off"></label></p>',
        f'  <input type="hidden" name="{VISITOR}">',
        "  <p><button>Send</button></p>",
        "</form>",
    ]
    return "\n".join(lines)


def _input(name: str, label: str, becomes: str) -> str:
    needed = " required" if becomes == Becomes.EMAIL else ""
    field = f'<input type="{TYPES.get(Becomes(becomes), "text")}" name="{escape(name)}"{needed}>'
    return f"  <p><label>{escape(label)} {field}</label></p>"
