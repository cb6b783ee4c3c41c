"""The text of a task: blocks before it is rendered, and the form that the CRM stores."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`link`: the address that the text links to."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class BulletList:
    heading: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Dial:
    """A number or an address to reach a person by, and the link that opens it; "" when there is none."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class ContactLine:
    """A line of words and of ways to reach a person. A text without mark-up has the words alone."""

    parts: Sequence[str | Dial]


Block = Paragraph | BulletList | ContactLine


class TaskText(str):
    """A text in the form that a CRM stores: a string that can be read without its mark-up.

    `longest`: the number of characters that the CRM stores.
    """

    __slots__ = ()
    longest: ClassVar[int]

    @classmethod
    def render(cls, blocks: Iterable[Block]) -> Self:
        """Render blocks; their content is data and never mark-up."""
        raise NotImplementedError

    def words(self) -> str:
        """Return the text without mark-up and without the fragments of addresses."""
        raise NotImplementedError

    def links(self) -> Sequence[str]:
        """Return the addresses that the text links to."""
        raise NotImplementedError

    def prepend(self, block: Block) -> Self:
        """Return the text with a block before it, truncated at its end to `longest`."""
        raise NotImplementedError


class HtmlText(TaskText):
    """A text with HTML mark-up. A CRM may write the same text with other mark-up than ours."""

    __slots__ = ()

    @classmethod
    def render(cls, blocks: Iterable[Block]) -> Self:
        return cls("".join(map(_block_html, blocks)))

    def words(self) -> str:
        return unescape(re.sub(r"<[^<>]*>", "", self))

    def links(self) -> Sequence[str]:
        found = re.findall(r"""<a\s[^<>]*?href\s*=\s*["']?([^\s"'<>]+)""", self, re.IGNORECASE)
        return [unescape(address) for address in found]

    def prepend(self, block: Block) -> Self:
        return type(self)(f"{_block_html(block)}{self}"[: self.longest])


class PlainText(TaskText):
    """A text without mark-up: lines, and addresses as they are."""

    __slots__ = ()

    @classmethod
    def render(cls, blocks: Iterable[Block]) -> Self:
        return cls("\n\n".join(map(_block_lines, blocks)))

    def words(self) -> str:
        return re.sub(r"(https?://[^\s#]+)#\S*", r"\1", self)

    def links(self) -> Sequence[str]:
        return re.findall(r"https?://\S+", self)

    def prepend(self, block: Block) -> Self:
        return type(self)(f"{_block_lines(block)}\n\n{self}"[: self.longest])


def _block_html(block: Block) -> str:
    if isinstance(block, BulletList):
        items = "".join(f"<li>{escape(line)}</li>" for line in block.lines)
        return f"<p>{escape(block.heading)}:</p><ul>{items}</ul>"
    if isinstance(block, ContactLine):
        return f"<p>{''.join(map(_part_html, block.parts))}</p>"
    text = escape(block.text)
    return f'<p><a href="{escape(block.link)}">{text}</a></p>' if block.link else f"<p>{text}</p>"


def _part_html(part: str | Dial) -> str:
    if isinstance(part, str):
        return escape(part)
    return (
        f'<a href="{escape(part.link)}">{escape(part.text)}</a>' if part.link else escape(part.text)
    )


def _block_lines(block: Block) -> str:
    if isinstance(block, BulletList):
        return "\n".join([f"{block.heading}:", *(f"- {line}" for line in block.lines)])
    if isinstance(block, ContactLine):
        return "".join(part if isinstance(part, str) else part.text for part in block.parts)
    return f"{block.text}: {block.link}" if block.link else block.text
