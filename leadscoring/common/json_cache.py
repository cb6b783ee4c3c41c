"""How values are kept in the shared cache: as JSON, which is data and never code."""

import json
from typing import Any


class JsonSerializer:
    """A serializer of Django's Redis cache. Whole numbers stay as they are, so that Redis can count."""

    def dumps(self, value: Any) -> bytes | int:
        if type(value) is int:
            return value
        return json.dumps(value).encode()

    def loads(self, kept: bytes) -> Any:
        """Return the value; None for what another program has put there."""
        try:
            return json.loads(kept)
        except ValueError:
            return None
