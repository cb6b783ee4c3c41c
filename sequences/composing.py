"""One step for one person → a message: text and HTML, and the headers that let them leave.

A person's facts are put in as text. They never become Markdown, HTML, a link, a header or a
merge field, whatever somebody sent us as their name.
"""

import html
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

import css_inline
import markdown
import nh3
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from leadscoring.models import Contact, Score
from sequences.merging import merge
from sequences.models import Delivery, Step
from sequences.unsubscribing import address_of

# Around the number of a value, while Markdown reads the text. Of Unicode's private use: a text
# that has them already loses them.
OPEN, CLOSE = "\ue000", "\ue001"
PLACED = re.compile(f"{OPEN}([0-9]+){CLOSE}")
TAG = re.compile("<[^>]*>")
ADDRESS = re.compile(r"\]\([^)\s]*")  # of a link in Markdown

INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)


def compose(step: Step, contact: Contact, delivery: Delivery) -> EmailMultiAlternatives:
    """The message. Raises ValueError (MergeError, BadHeaderError) when there can be none."""
    values = values_of(contact)
    unsubscribe = address_of(delivery)
    subject = merge(step.subject, values, str)[:500]
    message = EmailMultiAlternatives(
        subject=subject,
        body=text_part(step.body, values, unsubscribe),
        to=[delivery.email],
        headers={
            "Message-ID": delivery.message_id,
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    message.attach_alternative(html_part(subject, step.body, values, unsubscribe), "text/html")
    return message


def values_of(contact: Contact) -> dict[str, str]:
    """What the merge fields stand for."""
    score: Score | None = getattr(contact, "score", None)
    return {
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "name": contact.name,
        "email": contact.email or "",
        "company": contact.company.name if contact.company else "",
        "job_title": contact.job_title,
        "country": contact.country,
        "score": f"{score.total:g}" if score else "",
        "grade": score.grade if score else "",
    }


def text_part(body: str, values: Mapping[str, str], unsubscribe: str) -> str:
    """Markdown is readable as it is; only in a link's address are values encoded."""
    text, placed = with_places(body, values)
    in_links = ADDRESS.sub(lambda link: fill(link[0], placed, encoded), text)
    return f"{fill(in_links, placed, str).strip()}\n\n-- \nUnsubscribe: {unsubscribe}\n"


def html_part(subject: str, body: str, values: Mapping[str, str], unsubscribe: str) -> str:
    page = render_to_string(
        "sequences/mail.html",
        {"subject": subject, "body": body_html(body, values), "unsubscribe": unsubscribe},
    )
    return INLINER.inline(page)


def body_html(body: str, values: Mapping[str, str]) -> str:
    """The Markdown text as clean HTML, the values in it as text.

    Signs stand for the values while Markdown reads the text around them. In a tag (a link's
    address) a value is percent-encoded, so that it can neither end the tag nor be a scheme.
    """
    text, placed = with_places(body, values)
    marked = markdown.markdown(text, extensions=["tables", "fenced_code", "sane_lists", "nl2br"])
    in_tags = TAG.sub(lambda tag: fill(tag[0], placed, encoded), marked)
    return nh3.clean(fill(in_tags, placed, html.escape))


def with_places(body: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with a sign in the place of each value, and the values."""
    placed: list[str] = []

    def place(value: str) -> str:
        placed.append(value)
        return f"{OPEN}{len(placed) - 1}{CLOSE}"

    return merge(body.replace(OPEN, "").replace(CLOSE, ""), values, place), placed


def fill(text: str, placed: list[str], show: Callable[[str], str]) -> str:
    return PLACED.sub(lambda found: show(placed[int(found[1])]), text)


def encoded(value: str) -> str:
    return quote(value, safe="")
