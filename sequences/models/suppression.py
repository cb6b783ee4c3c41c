"""Addresses that are never written to."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import CheckConstraint, Q
from django.db.models.functions import Lower


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def wishes(self) -> Self:
        """Keep those that a person wants. A bounce is no wish, and says nothing of another address."""
        return self.exclude(reason=Suppression.Reason.BOUNCED)


class Suppression(models.Model):
    """An address that never gets mail, whichever contact has it."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        CRM_OPT_OUT = "crm_opt_out", "Opt-out in the CRM"
        BOUNCED = "bounced", "Address refused mail"
        BY_HAND = "by_hand", "Entered by hand"

    email = models.EmailField("e-mail", max_length=254, unique=True)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    detail = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = "address not to mail"
        verbose_name_plural = "addresses not to mail"
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(email=Lower("email")), name="suppressed_email_is_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.get_reason_display()
