"""Visitors who have not said who they are, and what they did meanwhile."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from leadscoring.models.people import Contact


class Visitor(models.Model):
    """An id that a sender has for somebody: of a browser, or of a user whom nobody here is yet.

    `contact`: who it is, once somebody has said so. `same_as`: another id of the same person, under
    which their activities wait as long as nobody knows who it is; that one is never another's.
    """

    class Kind(models.TextChoices):
        ANONYMOUS = "anonymous"
        USER = "user"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=200)
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, related_name="visitors"
    )
    same_as = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="others")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            UniqueConstraint(fields=["kind", "value"], name="one_visitor_per_id"),
            CheckConstraint(condition=~Q(value=""), name="a_visitor_has_an_id"),
            CheckConstraint(
                condition=Q(same_as=None) | Q(contact=None), name="a_known_visitor_is_a_contact"
            ),
        ]
        indexes: ClassVar = [
            # Read by `prune_visitors`.
            Index(fields=["created_at"], condition=Q(contact=None), name="unknown_visitor_by_time"),
        ]

    def __str__(self) -> str:
        return f"visitor {self.pk}"


class WaitingActivity(models.Model):
    """Something a visitor did: an activity as soon as it is known of whom."""

    # `waiting_of_visitor` serves as the index of the key.
    visitor = models.ForeignKey(
        Visitor, on_delete=models.CASCADE, related_name="waiting", db_index=False
    )
    source = models.CharField(max_length=100)
    event_id = models.CharField(max_length=200)
    type = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    properties = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            UniqueConstraint(fields=["source", "event_id"], name="one_waiting_per_source_and_event")
        ]
        indexes: ClassVar = [
            # Read when the visitor becomes known, the oldest first.
            Index("visitor", F("occurred_at"), name="waiting_of_visitor"),
            # Read by `prune_visitors`.
            Index(fields=["received_at"], name="waiting_by_arrival"),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.visitor_id}"


class TakenMessage(models.Model):
    """A message that told who somebody is: a repeat of it must not undo what a later one said."""

    source = models.CharField(max_length=100)
    event_id = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            UniqueConstraint(fields=["source", "event_id"], name="one_message_per_source_and_id")
        ]
        indexes: ClassVar = [
            # Read by `prune_visitors`.
            Index(fields=["at"], name="message_by_time"),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"
