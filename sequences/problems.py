"""What of the mail needs a person, for the home page and the checks of ops."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from leadscoring.common.format import format_moment
from leadscoring.models import CrmFreshness
from leadscoring.operations.health import Problem
from sequences import gate
from sequences.models import Delivery, Enrollment, MailServerFault


def mail_problems(at: datetime) -> Iterator[Problem]:
    """Yield the problems of sending, the gravest first."""
    yield from _mail_server_problems(at)
    yield from _closed_gate_problems(at)
    yield from _undecided_problems(at)


def _mail_server_problems(at: datetime) -> Iterator[Problem]:
    for fault in MailServerFault.objects.all():
        yield Problem(
            severity="error",
            what=f"{fault.reason}. No mail has left since {format_moment(fault.since)}.",
            fix="Check EMAIL_URL, DEFAULT_FROM_EMAIL and the mail server; nothing is lost, mails wait.",
            url=reverse("admin:sequences_enrollment_changelist"),
        )


def _closed_gate_problems(at: datetime) -> Iterator[Problem]:
    """Yield due mails that wait because none may leave: by the CRM's age, or mail is switched off."""
    hold = gate.closed_reason(CrmFreshness.oldest(), at)
    due = Enrollment.objects.due(at).count() if hold else 0
    if hold and due:
        yield Problem(
            severity="warning",
            what=f"{due} due {'mail waits' if due == 1 else 'mails wait'}. {hold.reason}.",
            fix="Set EMAIL_URL and restart the processes; the mails leave by themselves then."
            if settings.MAIL_OFF
            else "See to the connection with the CRM; the mails leave by themselves afterwards.",
            url=reverse("admin:sequences_enrollment_changelist"),
        )


def _undecided_problems(at: datetime) -> Iterator[Problem]:
    mails = Delivery.objects.needing_a_person().count()
    if mails:
        yield Problem(
            severity="warning",
            what=f"{mails} {'mail' if mails == 1 else 'mails'} failed or perhaps left; the people wait.",
            fix="Decide for each: send it again, or count it as sent.",
            url=f"{reverse('admin:sequences_delivery_changelist')}?ask=person",
        )
