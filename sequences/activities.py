"""What becomes of our mails may count in a person's score: it is stored as their activity."""

import logging
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from leadscoring.intake import take_activities
from leadscoring.models import Contact
from sequences.models import Delivery

SOURCE = "sequences"

log = logging.getLogger(__name__)


def store(type_: str, mails: Collection[tuple[Delivery, datetime]], at: datetime) -> None:
    """Store, once, that this became of each mail and when, and score the people.

    Somebody who was deleted meanwhile is not brought back. Locks the contacts.
    """
    with transaction.atomic():
        ids = {mail.enrollment.contact_id for mail, _ in mails}
        rows = Contact.objects.filter(pk__in=ids).order_by("pk").select_for_update()
        people = {person.pk: person for person in rows}
        activities = [
            described(type_, mail, people[mail.enrollment.contact_id], when)
            for mail, when in mails
            if mail.enrollment.contact_id in people
        ]
        taken = take_activities(activities, SOURCE, at)
    for rejection in taken.rejected:
        log.error("An activity of a mail was refused: %s.", rejection.field)


def described(type_: str, mail: Delivery, person: Contact, when: datetime) -> dict[str, object]:
    who = {"email": person.email} if person.email else {"external_id": person.external_id}
    return who | {
        "type": type_,
        "event_id": f"{type_}-{mail.pk}",
        "occurred_at": when.isoformat(),
        "properties": {
            "sequence": mail.enrollment.sequence.name,
            "step": mail.position,
            "subject": mail.subject,
        },
    }
