"""Contacts, their activities, what is known of them, and the API's keys."""

from datetime import datetime
from typing import ClassVar, Self

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import (
    CheckConstraint,
    F,
    Index,
    OuterRef,
    Q,
    Subquery,
    UniqueConstraint,
    Value,
)
from django.db.models.functions import Concat, Lower

from leadscoring.common.fold import Fold
from leadscoring.common.format import format_moment

# What a CRM calls its records: text of its own, of at most so many characters.
CRM_ID_LENGTH = 255


class Lifecycle(models.TextChoices):
    """How far a contact has come; the order of the members is the order of the stages."""

    SUBSCRIBER = "subscriber", "Subscriber"
    LEAD = "lead", "Lead"
    MQL = "mql", "MQL"
    SQL = "sql", "SQL"
    OPPORTUNITY = "opportunity", "Opportunity"
    CUSTOMER = "customer", "Customer"

    def ahead_of(self, other: str) -> bool:
        order = list(Lifecycle)
        return order.index(self) > order.index(Lifecycle(other))


class Company(models.Model):
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "companies"
        constraints: ClassVar = [UniqueConstraint(Lower("name"), name="one_company_per_name")]
        indexes: ClassVar = [
            # The admin's search.
            GinIndex(
                OpClass(Fold(Concat(Value(" "), "name")), name="gin_trgm_ops"),
                name="company_search",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person who may become a customer, known by e-mail address or ids.

    `external_id`: the company's own id. Ids of other sources are in `Identifier`.
    """

    email = models.EmailField("e-mail", max_length=254, null=True, blank=True, unique=True)
    external_id = models.CharField(max_length=200, null=True, blank=True, unique=True)
    first_name = models.CharField(max_length=200, blank=True, default="")
    last_name = models.CharField(max_length=200, blank=True, default="")
    company = models.ForeignKey(
        Company, on_delete=models.SET_NULL, null=True, blank=True, related_name="contacts"
    )
    job_title = models.CharField(max_length=200, blank=True, default="")
    phone = models.CharField(max_length=50, blank=True, default="")
    country = models.CharField(max_length=100, blank=True, default="")
    properties = models.JSONField(default=dict, blank=True)
    lifecycle_stage = models.CharField(
        max_length=20, choices=Lifecycle.choices, default=Lifecycle.LEAD
    )
    # When sales last set the stage back: the score alone does not raise it again, a new crossing does.
    stage_set_back_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_activity_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(email=Lower("email")) & ~Q(email=""), name="email_is_lower_case"
            ),
            CheckConstraint(condition=~Q(external_id=""), name="external_id_is_not_empty"),
        ]
        indexes: ClassVar = [
            # The admin's list, newest activity first, and "no activity for 30 days".
            Index(F("last_activity_at").desc(nulls_last=True), "id", name="contact_by_activity"),
            # The home page counts people by their stage.
            Index(fields=["lifecycle_stage"], name="contact_by_stage"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id or f"contact {self.pk}"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def named_item(self) -> dict[str, str]:
        """Return who this is, as an item of the intake names people."""
        if self.email:
            return {"email": self.email}
        if self.external_id:
            return {"external_id": self.external_id}
        known = self.identifiers.order_by("pk").first()
        return {"external_id": known.value, "id_source": known.source} if known else {}


class Identifier(models.Model):
    """An id by which another source than the company itself knows a contact; of one it may know several.

    `source`: the namespace, such as another program's name. The company's own is `Contact.external_id`.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="identifiers")
    source = models.CharField(max_length=100)
    value = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["source", "value"], name="one_contact_per_identifier_of_a_source"
            ),
            CheckConstraint(
                condition=~Q(source="") & ~Q(value=""), name="an_identifier_has_source_and_value"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.value}"


class ProfileChange(models.Model):
    """What was known of a contact from an instant on: the whole profile, as the engine reads it."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="profile_changes")
    at = models.DateTimeField()
    fields = models.JSONField()
    properties = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["contact", "at"], name="one_profile_per_contact_and_instant")
        ]

    def __str__(self) -> str:
        return f"profile from {self.at:%Y-%m-%d %H:%M} on"


class Alias(models.Model):
    """A former identifier of a contact that was merged into another: it names that one.

    `number`: the id of the deleted contact. `email`: an address of theirs, or ""; so many rows they
    have. `external_id`: theirs.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="aliases")
    number = models.BigIntegerField()
    email = models.EmailField("e-mail", max_length=254, blank=True, default="")
    external_id = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name_plural = "aliases"
        constraints: ClassVar = [
            UniqueConstraint(fields=["number", "email"], name="an_alias_is_one_contacts")
        ]
        indexes: ClassVar = [
            # Read by intake, for identifiers that are no contact's.
            Index(fields=["email"], condition=~Q(email=""), name="alias_by_email"),
            Index(
                fields=["external_id"], condition=~Q(external_id=""), name="alias_by_external_id"
            ),
        ]

    def __str__(self) -> str:
        return f"contact {self.number}, now {self.contact_id}"


class ActivityQuerySet(models.QuerySet["Activity"]):
    def with_labels(self) -> Self:
        """Add `label`: what the type is called; nothing where it came in its one spelling."""
        labels = ActivityType.objects.filter(name=OuterRef("type")).values("label")
        return self.annotate(label=Subquery(labels))


class Activity(models.Model):
    """Something a contact did, once."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="activities")
    source = models.CharField(max_length=100)
    event_id = models.CharField(max_length=200)
    type = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    properties = models.JSONField(default=dict, blank=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "activities"
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["source", "event_id"], name="one_activity_per_source_and_event"
            )
        ]
        indexes: ClassVar = [
            # Read by scoring: the most recent of each type, however many there are.
            Index("contact", "type", F("occurred_at").desc(), name="activity_of_type"),
            # Read by a contact's page and by the wording of recent activity.
            Index("contact", F("occurred_at").desc(), name="activity_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.type} at {format_moment(self.occurred_at)}"


class ActivityType(models.Model):
    """A type of activities, in its one spelling.

    `label`: how it was written first, or what a marketer calls it; empty where it came in its one
    spelling. `came_before`: how many came longer ago than `TypeCount` knows, the last at `came_last_at`.
    """

    name = models.CharField("type", max_length=100, primary_key=True, editable=False)
    label = models.CharField(
        "is called",
        max_length=100,
        blank=True,
        help_text="On pages and in lists. Rules and sequences go by the type.",
    )
    came_before = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    came_last_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return self.label or self.name


class Effect(models.TextChoices):
    """What the CRM's state of a contact does to what we send."""

    NONE = "none", "Nothing"
    PAUSE = "pause", "Pauses"
    STOP = "stop", "Stops"


class CrmState(models.Model):
    """What the CRM says of a contact, in words of no CRM. No row: never asked, which holds mail.

    `record_id` empty: the CRM was asked and has no record of that id or address.
    `since`: when this effect was first seen. `deals`: a list of
    `{"id", "name", "pipeline", "stage", "effect"}`. Written through `leadscoring.crm_state.store_states`.
    """

    contact = models.OneToOneField(
        Contact, on_delete=models.CASCADE, primary_key=True, related_name="crm_state"
    )
    record_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    record_url = models.URLField(max_length=500, blank=True, default="")
    owner_id = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    owner_name = models.CharField(max_length=200, blank=True, default="")
    owner_email = models.CharField(max_length=254, blank=True, default="")
    effect = models.CharField(max_length=10, choices=Effect.choices, default=Effect.NONE)
    reason = models.CharField(max_length=500, blank=True, default="")
    since = models.DateTimeField()
    deals = models.JSONField(default=list, blank=True)
    opted_out = models.BooleanField(default=False)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = "CRM state"
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(effect=Effect.NONE) | ~Q(reason=""), name="an_effect_has_its_reason"
            )
        ]
        indexes: ClassVar = [
            Index(fields=["effect"], condition=~Q(effect="none"), name="crm_state_with_effect"),
            # Whose record it is that changed there.
            Index(fields=["record_id"], condition=~Q(record_id=""), name="crm_state_by_record"),
        ]

    def __str__(self) -> str:
        return f"{self.get_effect_display()} {self.reason}".strip()


class CrmFreshness(models.Model):
    """Everything the CRM changed in one kind of record up to `as_of` has been applied here."""

    class Kind(models.TextChoices):
        CONTACTS = "contacts"
        ASSOCIATIONS = "associations"
        DEALS = "deals"

    kind = models.CharField(max_length=20, choices=Kind.choices, primary_key=True)
    as_of = models.DateTimeField()

    class Meta:
        verbose_name_plural = "CRM freshness"

    def __str__(self) -> str:
        return f"{self.kind} as of {self.as_of:%Y-%m-%d %H:%M:%S}"

    @classmethod
    def oldest(cls) -> datetime | None:
        """Return the instant up to which all kinds are applied; None while one was never read."""
        instants = list(cls.objects.values_list("as_of", flat=True))
        return min(instants) if len(instants) == len(cls.Kind) else None


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> Self:
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """Lets a program in. Only the key's SHA-256 is kept: it is random, so a slow hash adds nothing."""

    name = models.CharField(max_length=100, unique=True)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False)
    write_only = models.BooleanField(
        "may only send",
        default=False,
        db_default=False,
        help_text="For a web page or a form, where others can see the key: it reads nothing.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name


class ErasureSalt(models.Model):
    """Makes the hashes of erased addresses this installation's own. One row, made when first needed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    value = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [CheckConstraint(condition=Q(id=1), name="one_erasure_salt")]

    def __str__(self) -> str:
        return "salt"


class Erased(models.Model):
    """An erased address, as a salted hash: it is not taken in again."""

    hash = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "erased"

    def __str__(self) -> str:
        return f"erased on {self.at:%Y-%m-%d}"
