"""Contacts with their reasons, the companies they work for, and what they did."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring import intake
from leadscoring.admin import filters
from leadscoring.admin.contact_page import contact_page_context
from leadscoring.admin.json_field import StorableJsonField
from leadscoring.admin.mail_state import mail_state, with_mail_bans
from leadscoring.admin.model_admin import ReadOnlyModelAdmin
from leadscoring.admin.search import PeopleSearch, search_names
from leadscoring.admin.unfold_types import ModelForm, TextArea, TextInput
from leadscoring.common import format
from leadscoring.extensions import contact_actions
from leadscoring.intake import validation
from leadscoring.models import Activity, Company, Contact, Score

Action = TypeVar("Action", bound=Callable[..., HttpResponse | None])


TEXTS = ("first_name", "last_name", "job_title", "phone", "country")
IDENTIFIERS = ("email", "external_id")


class ContactForm(ModelForm[Contact]):
    """A person's profile. It is taken in as everything else is, so its history and score follow."""

    company_name = forms.CharField(
        label="Company", max_length=200, required=False, widget=TextInput
    )

    class Meta:
        model = Contact
        fields = (*IDENTIFIERS, *TEXTS, "properties")
        field_classes = {"properties": StorableJsonField}
        widgets = {"properties": TextArea(attrs={"rows": 4, "spellcheck": "false"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contact = self.instance
        if contact.company:
            self.initial["company_name"] = contact.company.name
        # Who is known by an id of another source alone is found by that one.
        elsewhere = contact.pk and not contact.email and not contact.external_id
        self.known_elsewhere = contact.named_item() if elsewhere else {}
        # People are found by their identifiers, so one of them has to stay.
        if "external_id" in self.fields and (contact.external_id or self.known_elsewhere):
            self.fields["external_id"].disabled = True
        elif "email" in self.fields and contact.email:
            self.fields["email"].disabled = True
            self.fields["email"].help_text = "To change it, first give an external id and save."

    def clean_email(self) -> str | None:
        return self.identifier("email", validation.normalize_email)

    def clean_external_id(self) -> str | None:
        return self.identifier("external_id", validation.clean_line)

    def identifier(self, name: str, fit: Callable[[str], str]) -> str | None:
        """Return it as it is stored, which is how it is compared with others."""
        typed = self.cleaned_data.get(name)
        try:
            return fit(str(typed)) if typed else None
        except ValueError as error:
            raise forms.ValidationError(f"This {error}.") from None

    def clean(self) -> None:
        super().clean()
        try:
            validation.validate_person(self.item())
        except validation.InvalidItem as refused:
            field = "company_name" if refused.field == "company" else refused.field
            self.add_error(field if field in self.fields else None, refused.message)

    def item(self) -> dict[str, object]:
        """Return the profile as it comes in by all other ways; a property that was taken out is null."""
        given = self.cleaned_data
        properties = given.get("properties") or {}
        gone = (
            dict.fromkeys(self.initial.get("properties") or {})
            if isinstance(properties, dict)
            else {}
        )
        item: dict[str, object] = {name: given.get(name, "") for name in TEXTS}
        item |= {name: given[name] for name in IDENTIFIERS if given.get(name)}
        item |= self.known_elsewhere
        item["company"] = given.get("company_name", "")
        item["properties"] = {**gone, **properties} if isinstance(properties, dict) else properties
        return item


@admin.register(Contact)
class ContactAdmin(PeopleSearch[Contact]):
    form = ContactForm
    change_form_template = "admin/leadscoring/contact/change_form.html"
    change_form_outer_before_template = None
    fields = (
        ("email", "external_id"),
        ("first_name", "last_name"),
        ("company_name", "job_title"),
        ("phone", "country"),
        "properties",
    )
    contact_path = "pk"
    nothing = "Nobody yet: import a file, or send people with an API key."
    list_display = ("who", "company_", "score_", "stage", "active", "mail")
    list_display_links = ("who",)
    list_select_related = ("company", "score", "crm_state")
    list_filter = (
        filters.ContactQuestions,
        filters.LifecycleFilter,
        filters.FitFilter,
        filters.EngagementFilter,
        filters.BandFilter,
    )
    search_person = "pk"
    ordering = (F("last_activity_at").desc(nulls_last=True), "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return with_mail_bans(super().get_queryset(request))

    @admin.display(description="Company")
    def company_name(self, contact: Contact) -> str:
        """Return the name for users with view permission only: the form's field is no field of the contact."""
        return str(contact.company) if contact.company else "–"

    # --- list

    @admin.display(description="Contact", ordering="last_name")
    def who(self, contact: Contact) -> SafeString:
        identifier = contact.email or contact.external_id or ""
        return format.two_lines_html(contact, identifier if contact.name else "")

    @admin.display(description="Company")
    def company_(self, contact: Contact) -> object:
        return contact.company or format.NOTHING

    @admin.display(description="Score", ordering=F("score__total").desc(nulls_last=True))
    def score_(self, contact: Contact) -> SafeString:
        score: Score | None = getattr(contact, "score", None)
        if score is None:
            return format.badge_html("not scored")
        if score.disqualified:
            return format.badge_html("disqualified", "bad")
        return format_html(
            '<span class="ls-total"><b>{}</b> {}</span>',
            format.format_number(score.total),
            format.badge_html(
                score.grade, {"A": "good", "B": "info"}.get(score.grade[:1], "plain")
            ),
        )

    @admin.display(description="Stage", ordering="lifecycle_stage")
    def stage(self, contact: Contact) -> str:
        return contact.get_lifecycle_stage_display()

    @admin.display(
        description="Last activity", ordering=F("last_activity_at").desc(nulls_last=True)
    )
    def active(self, contact: Contact) -> SafeString:
        return format.moment_html(contact.last_activity_at)

    @admin.display(description="Mail")
    def mail(self, contact: Contact) -> SafeString:
        state = mail_state(contact)
        if state is None:
            return format.NOTHING
        if not state.reason and state.tone == "plain":
            return format_html('<span class="ls-soft">{}</span>', state.word)
        return format_html(
            '<span class="ls-cut" title="{}">{} <span class="ls-more">{}</span></span>',
            state.reason,
            format.badge_html(state.word, state.tone),
            state.reason,
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        added = {
            name: (action.run, name, action.words)
            for name, action in contact_actions.items()
            if request.user.has_perm(action.permission)
        }
        return super().get_actions(request) | added

    # --- page

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leave deleting to “Erase for good”, which shows what goes and keeps the address out."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        contact = self.get_object(request, object_id) if object_id else None
        if contact is None and (merged := _surviving_contact_id(object_id)):
            return redirect(format.change_url(merged))
        page = contact_page_context(contact, request.user, now()) if contact else {}
        try:
            return super().changeform_view(
                request, object_id, form_url, page | (extra_context or {})
            )
        except validation.InvalidItem as refused:
            self.message_user(request, f"Not saved: {refused}.", messages.ERROR)
            return redirect(request.get_full_path())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what users did with a person, whom the page's title names."""
        response = super().history_view(request, object_id, extra_context)
        if contact := getattr(response, "context_data", {}).get("object"):
            self.note_shown([contact])
        return response

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        taken = intake.take_contacts([form.item()], now())
        for rejected in taken.rejected:
            raise validation.InvalidItem(rejected.field, rejected.message)
        if not change:
            known = {name: form.item()[name] for name in IDENTIFIERS if name in form.item()}
            obj.pk = Contact.objects.values_list("pk", flat=True).get(**known)


def _surviving_contact_id(number: str | None) -> Contact | None:
    """Return the contact with which a deleted one was merged: tasks in the CRM still link to its page."""
    known = number is not None and number.isascii() and number.isdigit() and len(number) < 19
    return Contact.objects.filter(aliases__number=int(number)).first() if known and number else None


@admin.register(Company)
class CompanyAdmin(PeopleSearch[Company], ReadOnlyModelAdmin[Company]):
    list_display = ("name", "people")
    nothing = "Companies appear with the people who work for them."
    fields = ("name", "people")
    search_help_text = "Any part of the name"
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Company]:
        theirs = Contact.objects.filter(company=OuterRef("pk")).order_by().values("company")
        count = Subquery(theirs.values_list(Count("pk")))
        return super().get_queryset(request).annotate(people_=Coalesce(count, 0))

    def search(self, rows: QuerySet[Company], typed: str) -> QuerySet[Company]:
        return search_names(rows, typed)

    @admin.display(description="Contacts")
    def people(self, company: Any) -> SafeString:
        return format.link_html(format.list_url(Contact, company=company.pk), company.people_)


@admin.register(Activity)
class ActivityAdmin(PeopleSearch[Activity], ReadOnlyModelAdmin[Activity]):
    list_display = ("what", "person", "happened", "source", "event_id")
    contact_path = "contact_id"
    nothing = "Nothing has been sent to us yet: make an API key, or import a file."
    fields = ("person", "type", "happened", "received", "source", "event_id", "told")
    list_select_related = ("contact",)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Activity]:
        rows: Any = super().get_queryset(request)
        labelled: QuerySet[Activity] = rows.with_labels()
        return labelled

    @admin.display(description="Type", ordering="type")
    def what(self, activity: Any) -> str:
        return str(activity.label or activity.type)

    @admin.display(description="Contact")
    def person(self, activity: Activity) -> SafeString:
        return format.link_html(format.change_url(activity.contact), activity.contact)

    @admin.display(description="When")
    def happened(self, activity: Activity) -> SafeString:
        return format.moment_html(activity.occurred_at)

    @admin.display(description="Arrived")
    def received(self, activity: Activity) -> SafeString:
        return format.moment_html(activity.received_at)

    @admin.display(description="Properties")
    def told(self, activity: Activity) -> SafeString:
        return format.facts_html(activity.properties)
