"""How our templates show moments."""

from datetime import datetime

from django.template import Library
from django.utils.safestring import SafeString

from leadscoring.common import format

register = Library()


@register.filter
def when(moment: datetime | None) -> SafeString:
    return format.moment_html(moment)
