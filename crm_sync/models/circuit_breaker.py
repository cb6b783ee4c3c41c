"""The circuit breaker: which work with the CRM is held back, why, and until when."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q


class Breaker(models.Model):
    """Trouble with the CRM that all rows of one kind of work share; gone when it works again.

    Until `until` nothing is asked. After that one asks for all, and the others wait for how it
    ends. `token`: the credentials that it holds for; it does not count for others.
    """

    class Work(models.TextChoices):
        HANDOFFS = "handoffs", "Handoffs"
        PULL = "pull", "Reading the CRM"
        TASKS = "tasks", "Looking after tasks"
        PUSH = "push", "Telling the CRM of changes"

    work = models.CharField(primary_key=True, max_length=10, choices=Work.choices)
    token = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=1000)
    # Whether a person must do something, or time will.
    denied = models.BooleanField(default=False)
    # Failures of everything one after the other.
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [CheckConstraint(condition=~Q(reason=""), name="a_hold_says_why")]

    def __str__(self) -> str:
        return self.reason
