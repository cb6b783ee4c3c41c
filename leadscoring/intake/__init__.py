"""People and activities come in: checked, stored once and scored, or refused with field and reason.

All ways in (HTTP, files, the admin, our own mails) come through here, a batch at a time. A batch
is one transaction and a fixed number of queries, however many items it has.
"""

from leadscoring.intake.activities import TakenActivities, take_activities
from leadscoring.intake.contacts import TakenContacts, take_contacts
from leadscoring.intake.rejections import Rejection

__all__ = [
    "Rejection",
    "TakenActivities",
    "TakenContacts",
    "take_activities",
    "take_contacts",
]
