"""What a user of the admin chose for the pages."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, Q


class ReaderTimeZone(models.Model):
    """The time zone in which a user reads times. Without a row it is the browser's."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="reader_time_zone",
    )
    zone = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [CheckConstraint(condition=~Q(zone=""), name="a_zone_is_named")]

    def __str__(self) -> str:
        return self.zone
