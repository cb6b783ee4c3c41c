"""HTML out of the templates beside this file. Whatever is not `Safe` is escaped."""

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from string import Template

HERE = Path(__file__).parent


class Safe(str):
    """Text that is HTML already, and made here."""

    __slots__ = ()


def safe(value: object) -> Safe:
    return value if isinstance(value, Safe) else Safe(escape(str(value)))


def fill(template: str, /, **values: object) -> Safe:
    """TEMPLATE.html with its `$places` filled; every place must be given."""
    filled = _template(template).substitute({key: safe(value) for key, value in values.items()})
    return Safe(filled)


@cache
def _template(name: str) -> Template:
    return Template((HERE / f"{name}.html").read_text(encoding="utf-8"))


def join(parts: Iterable[Safe]) -> Safe:
    return Safe("".join(parts))


def choices(labels: Mapping[str, str], chosen: str, empty: str | None = None) -> Safe:
    """The `<option>`s of a select. A chosen value that is no choice any more stays visible."""
    shown = {} if empty is None else {"": empty}
    shown |= labels
    if chosen not in shown:
        shown[chosen] = chosen
    return join(
        fill("option", value=value, label=label, selected="selected" if value == chosen else "")
        for value, label in shown.items()
    )
