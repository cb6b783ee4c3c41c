"""Forms: of a web page, or of a service that sends what was filled in."""

from typing import ClassVar

from django.core.validators import URLValidator
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint


class Form(models.Model):
    """Where what people fill in comes from. Its name is the source of what it sends.

    `address_hash`: SHA-256 of the secret in a service's address, which is stored nowhere.
    `signing_secret`: what the service signs with, encrypted (`intake.forms.secrets`); "" for none.
    """

    class Kind(models.TextChoices):
        PAGE = "page", "A form on a web page"
        TYPEFORM = "typeform", "Typeform"
        TALLY = "tally", "Tally"
        CALENDLY = "calendly", "Calendly"
        WEBFLOW = "webflow", "Webflow"
        JSON = "json", "Another service"

    name = models.SlugField(
        max_length=50,
        unique=True,
        help_text="Letters, digits and hyphens, such as contact-us. It cannot be changed later.",
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PAGE)
    activity_type = models.CharField(
        max_length=100,
        default="form_submit",
        help_text="What filling it in is called in scoring rules and sequences.",
    )
    thank_you = models.CharField(
        "thank-you page",
        max_length=500,
        blank=True,
        default="",
        validators=[URLValidator(schemes=["http", "https"])],
        help_text="Where people are led afterwards. Empty: a short thank-you of ours.",
    )
    origins = models.TextField(
        "allowed websites",
        blank=True,
        default="",
        help_text="One a line, such as https://www.example.com. Forms on other websites are refused. "
        "Empty: any website may send, but no script of it.",
    )
    address_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    signing_secret = models.CharField(max_length=1000, blank=True, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(kind="page", address_hash="", signing_secret="")
                | (~Q(kind="page") & ~Q(address_hash="")),
                name="a_service_has_a_secret_address",
            ),
            UniqueConstraint(
                fields=["address_hash"],
                condition=~Q(address_hash=""),
                name="one_form_per_secret_address",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def allowed_origins(self) -> set[str]:
        return set(self.origins.split())


class FormField(models.Model):
    """What a field of a form becomes. Those without a row are guessed by their names."""

    class Becomes(models.TextChoices):
        EMAIL = "email", "E-mail"
        FIRST_NAME = "first_name", "First name"
        LAST_NAME = "last_name", "Last name"
        NAME = "name", "Full name"
        COMPANY = "company", "Company"
        JOB_TITLE = "job_title", "Job title"
        PHONE = "phone", "Phone"
        COUNTRY = "country", "Country"
        PROPERTY = "property", "Property of the person"
        DETAIL = "detail", "Detail of the activity"
        NO_MAIL = "no_mail", "Wish for no mail"
        VISITOR = "visitor", "Visitor id"
        TIME = "time", "Time"
        EVENT_ID = "event_id", "Id of the submission"
        NOTHING = "nothing", "Nothing (left out)"

    form = models.ForeignKey(Form, on_delete=models.CASCADE, related_name="fields", db_index=False)
    name = models.CharField(
        "field of the form",
        max_length=200,
        help_text="Its name, label or question; in what another service sends the way to it, such as customer.email.",
    )
    becomes = models.CharField(max_length=10, choices=Becomes.choices)
    property = models.CharField(
        max_length=100, blank=True, default="", help_text="Its name, such as company_size."
    )

    class Meta:
        verbose_name = "field"
        constraints: ClassVar = [
            # Its index serves as that of the key.
            UniqueConstraint(fields=["form", "name"], name="one_meaning_per_field_of_a_form"),
            CheckConstraint(
                condition=Q(becomes="property") & ~Q(property="")
                | ~Q(becomes="property") & Q(property=""),
                name="a_property_has_a_name",
                violation_error_message="A property of the person needs a name, and nothing else has one.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
