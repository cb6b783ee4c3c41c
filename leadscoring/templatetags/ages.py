"""How our templates show moments."""

from datetime import datetime

from django.template import Library
from django.utils.safestring import SafeString

from leadscoring import shown

register = Library()


@register.filter
def when(moment: datetime | None) -> SafeString:
    return shown.when(moment)
