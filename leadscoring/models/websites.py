"""Sites of the company whose pages have the snippet."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Q

from leadscoring.models.people import ApiKey


class Website(models.Model):
    """A site with a key of its own, under whose name everything comes that its pages send.

    `write_key`: the key's text. It stands in each page for everybody to read, and reads nothing.
    `domains`: where its pages are, subdomains included.
    """

    api_key = models.OneToOneField(ApiKey, on_delete=models.PROTECT, related_name="website")
    write_key = models.CharField(max_length=200)
    domains = ArrayField(models.CharField(max_length=253))
    consent_required = models.BooleanField("wait for consent", default=True)

    class Meta:
        default_permissions = ("add", "change", "view")
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(domains__len__range=(1, 20)), name="a_website_has_some_domains"
            )
        ]

    def __str__(self) -> str:
        return self.api_key.name
