"""Who came by a link: a visitor of another site of ours, or the reader of a mail.

The link carries a signed parameter, which the snippet hands over. It is good once and for minutes, and
names nobody: it says the id of a browser, or the number of a contact.
"""

import hashlib
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import Q

from leadscoring.intake import visitors
from leadscoring.intake.people import retry_on_race
from leadscoring.intake.validation import InvalidItem
from leadscoring.intake.visitors import ANONYMOUS, USER, VisitorMap
from leadscoring.models import Contact, Visitor

PARAMETER = "leads_link"
GOOD_FOR = timedelta(minutes=5)
LONGEST = 600
USED = "links"  # the source of the messages that say which are used
SIGNER = Signer(sep=".", salt="leadscoring.visitor_link")

NOT_OURS = "is not one of ours"
TOO_OLD = "is older than five minutes"
USED_UP = "was used already"


def sign_visitor(anonymous_id: str, at: datetime) -> str:
    """Return a parameter that says that whoever comes with it is this visitor."""
    return _sign({"visitor": anonymous_id}, at)


def sign_contact(contact_id: int, at: datetime) -> str:
    """Return a parameter that says that whoever comes with it follows a link of this contact's mail."""
    return _sign({"contact": contact_id}, at)


def _sign(said: dict[str, object], at: datetime) -> str:
    # The last part makes each different, since each is good once.
    until = int((at + GOOD_FOR).timestamp())
    return SIGNER.sign_object({**said, "until": until, "once": token_urlsafe(6)})


def join_visitor(link: str, anonymous_id: str, at: datetime) -> None:
    """Let a browser be whose the link says it is. Raise InvalidItem.

    Two who both said who they are stay two: a mail may be forwarded, and a link copied.
    """
    said = _read(link, at)

    def work() -> VisitorMap:
        _use_up(link, at)
        if "contact" in said:
            return _join_contact(int(said["contact"]), anonymous_id, at)
        return _join_browser(str(said["visitor"]), anonymous_id, at)

    visitors.join_waiting(set(retry_on_race(work).links.values()), at)


def _read(link: str, at: datetime) -> dict[str, Any]:
    try:
        said: dict[str, Any] = SIGNER.unsign_object(link if len(link) <= LONGEST else "")
    except BadSignature:
        raise InvalidItem("link", NOT_OURS) from None
    if at.timestamp() > said["until"]:
        raise InvalidItem("link", TOO_OLD)
    return said


def _use_up(link: str, at: datetime) -> None:
    if not visitors.record_messages(USED, [hashlib.sha256(link.encode()).hexdigest()], at):
        raise InvalidItem("link", USED_UP)


def _join_contact(contact_id: int, anonymous_id: str, at: datetime) -> VisitorMap:
    mine = (ANONYMOUS, anonymous_id)
    found = visitors.lock_visitors({mine}, {mine}, at)
    browser = found.by_id[mine]
    if not _said_who(browser) and Contact.objects.filter(pk=contact_id).exists():
        found.link(browser, contact_id)
        found.save()
    return found


def _join_browser(other_id: str, anonymous_id: str, at: datetime) -> VisitorMap:
    both = (ANONYMOUS, anonymous_id), (ANONYMOUS, other_id)
    found = visitors.lock_visitors(set(both), set(both), at)
    here, there = (found.by_id[one] for one in both)
    if _said_who(here) and _said_who(there):
        return found
    if there.contact_id:
        found.link(here, there.contact_id)
    elif here.contact_id:
        found.link(there, here.contact_id)
    elif here.pk != there.pk:
        found.join(here, there)
    found.save()
    return found


def _said_who(visitor: Visitor) -> bool:
    """Return whether it is known whose browser it is, or by which id the sender knows them."""
    root = visitor.same_as_id or visitor.pk
    users = Visitor.objects.filter(Q(pk=root) | Q(same_as=root), kind=USER)
    return visitor.contact_id is not None or users.exists()
