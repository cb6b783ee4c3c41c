"""Who read whose data here."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import CheckConstraint, Index, Q
from django.db.models.functions import Upper

from leadscoring.models.people import ApiKey


class AccessEntryQuerySet(models.QuerySet["AccessEntry"]):
    def prune(self, before: datetime) -> int:
        """Delete what was read before an instant; return how many entries it was."""
        return self.filter(at__lt=before).delete()[0]


class AccessEntry(models.Model):
    """One page, answer or print that showed people: who read it, whom it showed, when, by which way.

    `people`: ids of contacts, also of those merged or erased since; nothing else of them is kept.
    `place`: which list, page, route or command. `by`: the name of who read, which outlives the user
    and the key; of a command the user of the system.
    """

    class Way(models.TextChoices):
        PERSON = "person", "Page of a person"
        LIST = "list", "List"
        SEARCH = "search", "Search"
        PAGE = "page", "Page"
        API_ONE = "api_one", "API, one person"
        API_MANY = "api_many", "API, many people"
        COMMAND = "command", "Command"

    at = models.DateTimeField()
    way = models.CharField(max_length=20, choices=Way.choices)
    place = models.CharField(max_length=100)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    by = models.CharField(max_length=200)
    people = ArrayField(models.BigIntegerField())

    objects = AccessEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "access log entry"
        verbose_name_plural = "access log entries"
        default_permissions = ("view",)
        constraints: ClassVar = [
            CheckConstraint(condition=~Q(by=""), name="an_access_names_who_read"),
            CheckConstraint(condition=~Q(people=[]), name="an_access_names_whom"),
            CheckConstraint(
                condition=Q(user=None) | Q(api_key=None), name="an_access_is_of_one_reader"
            ),
        ]
        indexes: ClassVar = [
            # Read by `prune` and by the list's filter of time.
            Index(fields=["at"], name="access_by_time"),
            # "Who looked at this person?"
            GinIndex(fields=["people"], name="access_by_person"),
            # "At whom did this user look?", in any letter case.
            Index(Upper("by"), name="access_by_reader"),
        ]

    def __str__(self) -> str:
        return f"{self.get_way_display()}: {self.place}"
