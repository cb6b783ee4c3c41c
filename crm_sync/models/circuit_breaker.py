"""The circuit breaker: which work with the CRM is held, why, and until when."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q


class Breaker(models.Model):
    """A failure of the CRM that affects all rows of one kind of work; deleted at the next success.

    No request is sent before `until`. After it one row probes, and the others wait for the result.
    `identity`: `Crm.identity` of the credentials that it applies to; it is ignored for others.
    """

    class Work(models.TextChoices):
        HANDOFFS = "handoffs", "Handoffs"
        PULL = "pull", "Reading the CRM"
        TASKS = "tasks", "Looking after tasks"
        PUSH = "push", "Telling the CRM of changes"

    work = models.CharField(primary_key=True, max_length=10, choices=Work.choices)
    identity = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=1000)
    # True: a person must act. False: time resolves it.
    denied = models.BooleanField(default=False)
    # Consecutive failures of all rows.
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [CheckConstraint(condition=~Q(reason=""), name="a_hold_says_why")]

    def __str__(self) -> str:
        return self.reason
