"""Put what is stored of a contact and an enrollment before the policy."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from leadscoring.models import Contact, CrmState
from sequences.models import BY_A_HANDOFF, BY_THE_CRM, Enrollment, Suppression
from sequences.models.enrollment import with_sales_since
from sequences.policy import CrmSays, Decision, Enrolled, Hold, decide, stale_hold

MAIL_OFF = "Mail is switched off (EMAIL_URL is off)"


def decide_for_contact(
    person: Contact, enrolled: Enrolled, as_of: datetime | None, at: datetime
) -> Decision:
    """Return the policy's decision about a contact whose `crm_state` was read along."""
    state: CrmState | None = getattr(person, "crm_state", None)
    says = CrmSays(state.effect, state.reason, state.opted_out) if state else None
    return decide(enrolled, says, as_of, at, _max_crm_age())


def decide_for_enrollment(enrollment: Enrollment, as_of: datetime | None, at: datetime) -> Decision:
    """Return the decision about an enrollment read by `with_what_the_gate_asks`."""
    enrolled = Enrolled(
        suppressed=enrollment.suppression_reason,
        paused=enrollment.state == Enrollment.State.PAUSED,
        paused_by_the_crm=enrollment.by == BY_THE_CRM,
        paused_by_a_handoff=enrollment.by == BY_A_HANDOFF,
        with_sales=enrollment.with_sales_since,
    )
    return decide_for_contact(enrollment.contact, enrolled, as_of, at)


def closed_reason(as_of: datetime | None, at: datetime) -> Hold | None:
    """Return why no mail at all may leave now; None when it may."""
    if settings.MAIL_OFF:
        return Hold(MAIL_OFF)
    return stale_hold(as_of, at, _max_crm_age())


def suppression_reasons(people: Iterable[Contact]) -> dict[str, str]:
    """Return address → why it is suppressed, of the suppressed ones."""
    rows = Suppression.objects.filter(email__in=[person.email for person in people if person.email])
    return {row.email: row.get_reason_display() for row in rows}


def handoff_times(people: Iterable[Contact]) -> dict[int, datetime]:
    """Return contact id → since when that contact is with sales, of those who are."""
    rows = Contact.objects.filter(pk__in=[person.pk for person in people])
    since = rows.annotate(since=with_sales_since("pk")).values_list("pk", "since")
    return {pk: at for pk, at in since if at}


def _max_crm_age() -> timedelta:
    return timedelta(seconds=settings.CRM_MAX_AGE_SECONDS)
