"""Compose one step for one contact: text and HTML, and the headers that mail providers ask for.

A contact's values are put in as text. They never become Markdown, HTML, a link, a header or a
merge field, whatever was sent to us as a name.
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

from leadscoring.intake.validation import CONTROL
from leadscoring.models import Contact, Score
from sequences.merge_fields import fill_template
from sequences.models import Delivery, Step
from sequences.tracking.links import open_pixel_url, tracked_link
from sequences.unsubscribe import unsubscribe_url

# Around the number of a value, while Markdown reads the text. Of Unicode's private use: a text
# that has them already loses them.
OPEN, CLOSE = "\ue000", "\ue001"
PLACED = re.compile(f"{OPEN}([0-9]+){CLOSE}")
TAG = re.compile("<[^>]*>")
ADDRESS = re.compile(r"\]\([^)\s]*")  # of a link in Markdown
LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\(([^()\s]+)\)")

INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)


def compose_mail(step: Step, contact: Contact, delivery: Delivery) -> EmailMultiAlternatives:
    """Return the message. Raise ValueError (MergeError, BadHeaderError) when it cannot be made."""
    values = merge_values(contact)
    unsubscribe = unsubscribe_url(delivery)
    subject = fill_template(step.subject, values, str)[:500]
    if CONTROL.search(subject):  # it would end the head of the mail
        raise ValueError("The subject contains a control character")
    message = EmailMultiAlternatives(
        subject=subject,
        body=render_text(step.body, values, unsubscribe),
        to=[delivery.email],
        headers={
            "Message-ID": delivery.message_id,
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    tracked = delivery.enrollment.sequence.tracks
    page = {
        "subject": subject,
        "body": render_html(step.body, values, tracked_link(delivery) if tracked else str),
        "unsubscribe": unsubscribe,
        "picture": open_pixel_url(delivery) if tracked else "",
    }
    html_part = INLINER.inline(render_to_string("sequences/mail.html", page))
    message.attach_alternative(html_part, "text/html")
    return message


def merge_values(contact: Contact) -> dict[str, str]:
    """Return the values of the merge fields."""
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


def render_text(body: str, values: Mapping[str, str], unsubscribe: str) -> str:
    """Return the text part: Markdown is readable as it is, but for links: "our guide (https://…)".

    Only in the addresses of links are values encoded.
    """
    text, placed = _replace_with_placeholders(body, values)
    in_links = ADDRESS.sub(lambda link: _fill_placeholders(link[0], placed, _encode_value), text)
    spelled = LINK.sub(r"\1 (\2)", in_links)
    return (
        f"{_fill_placeholders(spelled, placed, str).strip()}\n\n-- \nUnsubscribe: {unsubscribe}\n"
    )


def render_html(body: str, values: Mapping[str, str], lead: Callable[[str], str] = str) -> str:
    """Return the Markdown text as clean HTML, the values in it as text; `lead` rewrites the links.

    Signs stand for the values while Markdown reads the text around them. In a tag (a link's
    address) a value is percent-encoded, so that it can neither end the tag nor be a scheme.
    """
    text, placed = _replace_with_placeholders(body, values)
    marked = markdown.markdown(text, extensions=["tables", "fenced_code", "sane_lists", "nl2br"])
    in_tags = TAG.sub(lambda tag: _fill_placeholders(tag[0], placed, _encode_value), marked)
    personal = {
        _fill_placeholders(link, placed, _encode_value)
        for link in _link_bare_addresses(marked)
        if OPEN in link
    }

    def led(tag: str, attribute: str, value: str) -> str:
        """Leave a link with a value in its address as it is: a tracked one would carry the value."""
        is_link = (tag, attribute) == ("a", "href")
        return lead(value) if is_link and value not in personal else value

    return nh3.clean(_fill_placeholders(in_tags, placed, html.escape), attribute_filter=led)


def _link_bare_addresses(page: str) -> set[str]:
    found: set[str] = set()

    def seen(tag: str, attribute: str, value: str) -> str:
        if (tag, attribute) == ("a", "href"):
            found.add(value)
        return value

    nh3.clean(page, attribute_filter=seen)
    return found


def _replace_with_placeholders(body: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the text with a sign in the place of each value, and the values."""
    placed: list[str] = []

    def place(value: str) -> str:
        placed.append(value)
        return f"{OPEN}{len(placed) - 1}{CLOSE}"

    return fill_template(body.replace(OPEN, "").replace(CLOSE, ""), values, place), placed


def _fill_placeholders(text: str, placed: list[str], show: Callable[[str], str]) -> str:
    return PLACED.sub(lambda found: show(placed[int(found[1])]), text)


def _encode_value(value: str) -> str:
    return quote(value, safe="")
