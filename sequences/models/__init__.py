"""Sequences of e-mail, enrollments, mails, and suppressed addresses."""

from sequences.models.causes import (
    BY_A_FILE,
    BY_A_HANDOFF,
    BY_A_RULE,
    BY_A_SUPPRESSION,
    BY_THE_CRM,
    BY_THE_SENDER,
    BY_THEMSELVES,
)
from sequences.models.delivery import (
    LEASE,
    Delivery,
    DeliveryQuerySet,
    MailServerFault,
    MailServerFaultQuerySet,
)
from sequences.models.early_fit import EarlyFit, EarlyFitQuerySet
from sequences.models.enrollment import Enrollment, EnrollmentChange, EnrollmentQuerySet
from sequences.models.sequence import Sequence, SequenceQuerySet, Step
from sequences.models.suppression import Suppression, SuppressionQuerySet

__all__ = [
    "BY_A_FILE",
    "BY_A_HANDOFF",
    "BY_A_RULE",
    "BY_A_SUPPRESSION",
    "BY_THEMSELVES",
    "BY_THE_CRM",
    "BY_THE_SENDER",
    "LEASE",
    "Delivery",
    "DeliveryQuerySet",
    "EarlyFit",
    "EarlyFitQuerySet",
    "Enrollment",
    "EnrollmentChange",
    "EnrollmentQuerySet",
    "MailServerFault",
    "MailServerFaultQuerySet",
    "Sequence",
    "SequenceQuerySet",
    "Step",
    "Suppression",
    "SuppressionQuerySet",
]
