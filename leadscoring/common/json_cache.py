"""How values are kept in the shared cache: as JSON, which is data and never code."""

from typing import Any

from django.core.signing import JSONSerializer


class JsonSerializer(JSONSerializer):
    """A serializer of Django's Redis cache. A whole number is its digits, so that Redis can count."""

    def loads(self, data: bytes) -> Any:
        """Return the value; None for what another program has put there."""
        try:
            return super().loads(data)
        except ValueError:
            return None
