"""What is stored of a person and an enrollment, put before the policy."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from leadscoring.models import Contact, CrmState
from sequences.models import BY_THE_CRM, Enrollment, Suppression
from sequences.policy import CrmSays, Decision, Enrolled, Hold, decide, too_old


def max_age() -> timedelta:
    return timedelta(seconds=settings.CRM_MAX_AGE_SECONDS)


def ask(person: Contact, enrolled: Enrolled, as_of: datetime | None, at: datetime) -> Decision:
    """The policy's decision about somebody whose `crm_state` is at hand."""
    state: CrmState | None = getattr(person, "crm_state", None)
    says = CrmSays(state.effect, state.because, state.opted_out) if state else None
    return decide(enrolled, says, as_of, at, max_age())


def asked(enrollment: Enrollment, as_of: datetime | None, at: datetime) -> Decision:
    """The decision about an enrollment read by `with_what_the_gate_asks`."""
    enrolled = Enrolled(
        suppressed=enrollment.suppressed_because,
        paused=enrollment.state == Enrollment.State.PAUSED,
        paused_by_the_crm=enrollment.by == BY_THE_CRM,
    )
    return ask(enrollment.contact, enrolled, as_of, at)


def closed(as_of: datetime | None, at: datetime) -> Hold | None:
    """Why nobody at all is written to now."""
    return too_old(as_of, at, max_age())


def suppressions(people: Iterable[Contact]) -> dict[str, str]:
    """Address → why it is never written to, of those that are not."""
    rows = Suppression.objects.filter(email__in=[person.email for person in people if person.email])
    return {row.email: row.get_reason_display() for row in rows}
