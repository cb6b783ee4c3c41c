"""A box in which people write JSON, and which refuses what cannot be kept with a sentence."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from leadscoring.intake.validation import CONTROL_IN_TEXT

REFUSED = "Write JSON without control characters, not too deep, with numbers of a usual size."


class StorableJsonField(forms.JSONField):
    """Django's takes any other trouble than a syntax error for a fault of ours."""

    def to_python(self, value: Any) -> Any:
        try:
            return _check_storable(super().to_python(value))
        except (ValueError, RecursionError):
            raise ValidationError(REFUSED) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return _check_storable(super().bound_data(data, initial))
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return super().has_changed(initial, data)
        except (ValueError, RecursionError):
            return True


def _check_storable(value: Any) -> Any:
    """Return the value; raise ValueError when a text in it cannot be stored."""
    if not isinstance(value, InvalidJSONInput) and any(
        map(CONTROL_IN_TEXT.search, _iter_texts(value))
    ):
        raise ValueError
    return value


def _iter_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _iter_texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _iter_texts(each)
