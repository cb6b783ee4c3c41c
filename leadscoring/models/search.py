"""What people are found by in the admin's lists."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from leadscoring.models.people import Contact


class ContactSearch(models.Model):
    """Names, addresses and company of a contact as one text. The database writes and deletes it.

    Folded (see `common.fold`), with a blank before each word.
    """

    contact = models.OneToOneField(
        Contact,
        on_delete=models.DO_NOTHING,  # the database's own foreign key deletes it
        db_constraint=False,
        primary_key=True,
        related_name="search",
    )
    text = models.TextField()

    class Meta:
        indexes: ClassVar = [
            # Read by the search of all lists that show people.
            GinIndex(OpClass("text", name="gin_trgm_ops"), name="contact_search")
        ]

    def __str__(self) -> str:
        return self.text
