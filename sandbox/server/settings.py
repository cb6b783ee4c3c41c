"""The dials of a stand-in: what a test or a person may turn while it runs."""

from dataclasses import asdict, dataclass, fields
from typing import Any


class Turnable:
    """For a dataclass whose fields are dials."""

    def change(self, wanted: dict[str, Any]) -> None:
        """Turn the dials that are named. Raise ValueError for one that does not exist or fit."""
        kinds = {each.name: each.type for each in fields(self)}  # type: ignore[arg-type]  # see above
        for name, value in wanted.items():
            if name not in kinds or not _fits(value, kinds[name]):
                raise ValueError(f"{name} is no setting, or not of this kind")
            setattr(self, name, value)

    def shown(self) -> dict[str, Any]:
        return asdict(self)  # type: ignore[call-overload, no-any-return]  # as above


def _fits(value: object, kind: object) -> bool:
    if kind is str:
        return isinstance(value, str)
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    return isinstance(value, int | float if kind is float else int) and value >= 0


@dataclass(kw_only=True)
class WebhookSettings(Turnable):
    """Where webhooks go; "" tells nobody. Waits in seconds, shares from 0 to 1."""

    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_backoff: float = 60.0  # before the first further attempt
    webhook_twice: float = 0.0  # share of events that come twice
    webhook_lost: float = 0.0  # share of events that never come
    webhook_reorder: bool = False
