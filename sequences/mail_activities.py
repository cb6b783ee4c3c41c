"""What becomes of our mails may count in a person's score: it is stored as their activity."""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction

from leadscoring.intake import take_activities
from leadscoring.models import Contact
from sequences.models import LEASE, Delivery

SOURCE = "sequences"
MOST_LEFT_BEHIND = 1_000  # at a time

log = logging.getLogger(__name__)


def store_sent(deliveries: Collection[int], at: datetime) -> int:
    """Store the sent ones of these mails as activities of their contacts; return how many.

    A mail's event id is its delivery's, so that two calls at once store each of them once.
    """
    with transaction.atomic():
        mails = Delivery.objects.without_activity().filter(pk__in=deliveries)
        left = list(mails.select_related("enrollment__sequence"))
        if left:
            store_mail_activities("email_sent", [(mail, mail.sent_at or at) for mail in left], at)
            Delivery.objects.filter(pk__in=[mail.pk for mail in left]).update(activity_stored=True)
    return len(left)


def store_missing_sent(at: datetime) -> int:
    """Store what a killed worker had sent but not stored yet; return how many."""
    behind = Delivery.objects.without_activity().filter(sent_at__lte=at - LEASE)
    oldest = behind.order_by("sent_at").values_list("pk", flat=True)
    return store_sent(list(oldest[:MOST_LEFT_BEHIND]), at)


def store_mail_activities(
    type_: str,
    mails: Collection[tuple[Delivery, datetime]],
    at: datetime,
    which: str = "",
    **more: str,
) -> None:
    """Store, once, what became of each mail and when, and score the contacts.

    `which` separates several events of one kind of one mail; `more` is stored beside it. A contact that
    was deleted meanwhile is not created again. Lock the contacts.
    """
    with transaction.atomic():
        ids = {mail.enrollment.contact_id for mail, _ in mails}
        rows = Contact.objects.filter(pk__in=ids).order_by("pk").select_for_update()
        people = {person.pk: person for person in rows}
        activities = [
            _mail_activity_item(type_, mail, people[mail.enrollment.contact_id], when, which, more)
            for mail, when in mails
            if mail.enrollment.contact_id in people
        ]
        taken = take_activities(activities, SOURCE, at)
    for rejection in taken.rejected:
        log.error("An activity of a mail was refused: %s.", rejection.field)


def _mail_activity_item(
    type_: str,
    mail: Delivery,
    person: Contact,
    when: datetime,
    which: str,
    more: Mapping[str, str],
) -> dict[str, object]:
    return person.named_item() | {
        "type": type_,
        "event_id": "-".join(filter(None, (type_, str(mail.pk), which))),
        "occurred_at": when.isoformat(),
        "properties": {
            "sequence": mail.enrollment.sequence.name,
            "step": mail.position,
            "subject": mail.subject,
            **more,
        },
    }
