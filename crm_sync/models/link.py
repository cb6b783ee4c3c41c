"""Which CRM record a contact is: the account whose ids are kept, and the link to the record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint, Value

from leadscoring.models import CRM_ID_LENGTH, Contact

# A record that the CRM does not show may have been made a moment ago; after so long it is deleted.
SHOWN_WITHIN = timedelta(minutes=5)


class Account(models.Model):
    """The one CRM account whose ids are kept here; a token of another is rejected."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    account_id = models.CharField("account", max_length=CRM_ID_LENGTH)
    # The CRM's package: two CRMs may give the same id. Empty: not recorded yet.
    crm = models.CharField(max_length=40, blank=True, default="", db_default="", editable=False)
    time_zone = models.CharField(max_length=64, default="UTC")
    # `Crm.identity` of the token that was seen to belong to it.
    identity = models.CharField(max_length=64, blank=True, default="", editable=False)
    # It rejects a second task of one reference: determined by crm_setup.
    guards_tasks = models.BooleanField(default=False, editable=False)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "CRM account"
        constraints: ClassVar = [CheckConstraint(condition=Q(id=1), name="one_crm_account")]

    def __str__(self) -> str:
        return self.account_id

    def is_account(self, crm: str, account_id: str) -> bool:
        return self.account_id == account_id and self.crm in ("", crm)


@dataclass(frozen=True, slots=True)
class LastKnown:
    """What we last wrote to a record, by property, and last read of it.

    `sent`: as we sent it. `kept`: as the CRM keeps it, where that is another form of the same value:
    a phone number without its spaces. Both are ours; anything else was written by a person.
    `stage`: the lifecycle stage when we last read it, "" when that was none of ours.
    """

    sent: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    stage: str = ""

    def forms(self, name: str) -> set[str]:
        """Return the texts of a property that are our own; none when we never wrote it."""
        return {self.sent.get(name, ""), self.kept.get(name, "")} - {""}


class Link(models.Model):
    """Which CRM record a contact is, and the record's values when it was last seen."""

    contact = models.OneToOneField(
        Contact, on_delete=models.CASCADE, primary_key=True, related_name="link"
    )
    account_id = models.CharField("account", max_length=CRM_ID_LENGTH)
    record_id = models.CharField(max_length=CRM_ID_LENGTH)
    owner_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    lifecycle_stage = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    lead_status = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    # Property -> the value we last wrote: if it reads otherwise, a person changed it.
    last_written = models.JSONField(default=dict, blank=True)
    # Property -> the form in which the CRM keeps that value, where it is another one.
    kept_as = models.JSONField(default=dict, blank=True, db_default=Value({}, models.JSONField()))
    opted_out = models.BooleanField(default=False)
    seen_at = models.DateTimeField()
    # Its primary address as last seen: a different one was set there, or written by us.
    email = models.CharField(max_length=254, blank=True, default="", editable=False)
    # That different address, while another contact here has it.
    taken_email = models.CharField(max_length=254, blank=True, default="", editable=False)
    # Since when the CRM shows neither the record nor that it was deleted; see `SHOWN_WITHIN`.
    missing_since = models.DateTimeField(null=True, blank=True, editable=False)
    # Deleted in the CRM: we never create such a record again.
    gone_at = models.DateTimeField(null=True, blank=True)
    # It can no longer be restored there: the person may have asked for the deletion.
    gone_for_good = models.BooleanField(default=False, editable=False)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["account_id", "record_id"], name="one_contact_per_crm_record"),
            CheckConstraint(condition=~Q(record_id=""), name="a_link_has_a_record"),
            CheckConstraint(
                condition=Q(gone_for_good=False) | Q(gone_at__isnull=False),
                name="only_what_is_gone_is_gone_for_good",
            ),
        ]
        indexes: ClassVar = [
            # Read by the home page: what a person has to decide.
            Index(fields=["gone_at"], condition=Q(gone_for_good=True), name="link_gone_for_good"),
            # Read at each pull: what has to be looked for again.
            Index(
                fields=["missing_since"],
                condition=Q(missing_since__isnull=False, gone_for_good=False),
                name="link_missing",
            ),
            Index(fields=["taken_email"], condition=~Q(taken_email=""), name="link_address_taken"),
        ]

    def __str__(self) -> str:
        return self.record_id

    def is_lost(self, at: datetime) -> bool:
        """Return whether the record was missing for so long that it is deleted for good."""
        return self.missing_since is not None and at - self.missing_since >= SHOWN_WITHIN

    @property
    def last_known(self) -> LastKnown:
        return LastKnown(self.last_written, self.kept_as, self.lifecycle_stage)
