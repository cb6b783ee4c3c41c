"""How our templates name the pages that the sidebar leads to."""

from typing import Any

from django.template import Library
from django.utils.text import capfirst

from leadscoring.admin_theme import menu_title

register = Library()


@register.filter
def menu_name(part: dict[str, Any]) -> str:
    """Return the name of a breadcrumb's part: that of the sidebar for a page that it leads to."""
    return menu_title(str(part.get("link", ""))) or capfirst(str(part["title"]))
