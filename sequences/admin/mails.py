"""Mails that left, or may have left; and suppressed addresses."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring.admin import confirmation
from leadscoring.admin.model_admin import (
    AppModelAdmin,
    FilterQuestion,
    QuestionFilter,
    ReadOnlyModelAdmin,
)
from leadscoring.admin.search import PeopleSearch
from leadscoring.admin.unfold_types import ModelForm
from leadscoring.common import format
from leadscoring.intake import validation
from leadscoring.models import Alias, Contact
from sequences import resolve
from sequences.models import Delivery, DeliveryQuerySet, Suppression
from sequences.suppression import suppress_addresses

TONES = {
    Delivery.State.SENT: "good",
    Delivery.State.FAILED: "bad",
    Delivery.State.UNCLEAR: "warm",
    Delivery.State.CLAIMED: "info",
    Delivery.State.WAITING: "info",
}


class DeliveryQuestions(QuestionFilter):
    questions = {
        "person": FilterQuestion("Needs a person", lambda rows, at: rows.needing_a_person()),
        "unclear": FilterQuestion("Perhaps sent", lambda rows, at: rows.unclear()),
        "sent": FilterQuestion("Sent", lambda rows, at: rows.sent()),
        "clicked": FilterQuestion("Clicked", lambda rows, at: rows.exclude(clicked_at=None)),
    }


@admin.register(Delivery)
class DeliveryAdmin(PeopleSearch[Delivery], ReadOnlyModelAdmin[Delivery]):
    contact_path = "enrollment.contact_id"
    nothing = "No mail has left yet."
    list_display = ("subject_", "who", "sequence", "state_", "why", "left", "reaction")
    list_select_related = ("enrollment__contact", "enrollment__sequence")
    list_filter = (DeliveryQuestions,)
    search_person = "enrollment__contact"
    ordering = ("-pk",)
    actions = ("send_again", "count_as_sent")
    fields = (
        "subject_",
        "who",
        "sequence",
        "position",
        "state_",
        "why",
        "attempts",
        "claimed",
        "left",
        "opened",
        "clicked",
        "message_id",
    )

    def verbs(self, request: HttpRequest, obj: Delivery) -> list[str]:
        """Return the actions of mails that a person decides about; none for others."""
        offered = {
            Delivery.State.FAILED: ["send_again"],
            Delivery.State.UNCLEAR: ["send_again", "count_as_sent"],
        }
        return offered.get(Delivery.State(obj.state), [])

    def has_settle_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change_delivery")

    @admin.display(description="Mail")
    def subject_(self, mail: Delivery) -> str:
        return mail.subject or f"Mail {mail.position}"

    @admin.display(description="To")
    def who(self, mail: Delivery) -> SafeString:
        return format.link_html(format.change_url(mail.enrollment.contact), mail.enrollment.contact)

    @admin.display(description="Sequence")
    def sequence(self, mail: Delivery) -> SafeString:
        return format.link_html(format.change_url(mail.enrollment), mail.enrollment.sequence)

    @admin.display(description="State", ordering="state")
    def state_(self, mail: Delivery) -> SafeString:
        state = Delivery.State(mail.state)
        return format.badge_html(state.label, TONES[state])

    @admin.display(description="Why")
    def why(self, mail: Delivery) -> SafeString:
        return (
            format_html('<span class="ls-wrap">{}</span>', mail.reason)
            if mail.reason
            else format.NOTHING
        )

    @admin.display(description="Claimed")
    def claimed(self, mail: Delivery) -> SafeString:
        return format.moment_html(mail.claimed_at)

    @admin.display(description="Sent", ordering="sent_at")
    def left(self, mail: Delivery) -> SafeString:
        return format.moment_html(mail.sent_at)

    @admin.display(description="Then")
    def reaction(self, mail: Delivery) -> SafeString:
        """Return "clicked" before "opened": a click implies an open, whether or not the picture was shown."""
        if mail.clicked_at:
            return format.badge_html("clicked", "good")
        return format.badge_html("opened", "info") if mail.opened_at else format.NOTHING

    @admin.display(description="Opened first")
    def opened(self, mail: Delivery) -> SafeString:
        return format.moment_html(mail.opened_at)

    @admin.display(description="Clicked first")
    def clicked(self, mail: Delivery) -> SafeString:
        return format.moment_html(mail.clicked_at)

    @admin.action(description="Send again…", permissions=["settle"])
    def send_again(self, request: HttpRequest, queryset: DeliveryQuerySet) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            return confirmation.render_confirmation(
                self, request, queryset, action="send_again", title="Send mails again",
                what_happens="Whoever did get one of these mails gets it a second time. Only mails "
                "that failed or perhaps left, and wait for this decision, are sent.",
                button="Send again",
            )  # fmt: skip
        again = resolve.send_again(_plain_deliveries(queryset), now(), request.user.get_username())
        self.told(request, queryset, again, "to be sent again")
        return None

    @admin.action(description="Count as sent", permissions=["settle"])
    def count_as_sent(self, request: HttpRequest, queryset: DeliveryQuerySet) -> None:
        counted = resolve.count_as_sent(
            _plain_deliveries(queryset), now(), request.user.get_username()
        )
        self.told(request, queryset, counted, "counted as sent; their sequences go on")

    def told(self, request: HttpRequest, rows: DeliveryQuerySet, done: int, what: str) -> None:
        left = rows.count() - done
        also = f" {left} wait for no decision." if left > 0 else ""
        level = messages.SUCCESS if done else messages.WARNING
        self.message_user(request, f"{done} {what}.{also}", level)


def _plain_deliveries(rows: DeliveryQuerySet) -> DeliveryQuerySet:
    return Delivery.objects.filter(pk__in=rows.order_by().values("pk"))


class SuppressionForm(ModelForm[Suppression]):
    class Meta:
        model = Suppression
        fields = ("email", "detail")

    def clean_email(self) -> str:
        """Store the address in lower case, as all are, or it would match none."""
        try:
            return validation.normalize_email(str(self.cleaned_data["email"]))
        except ValueError as error:
            raise ValidationError(f"This {error}.") from None


@admin.register(Suppression)
class SuppressionAdmin(AppModelAdmin[Suppression]):
    form = SuppressionForm
    about = "These addresses are never written to, whoever they belong to."
    contact_path = "contact_id_"
    nothing = "Every address may be written to."
    list_display = ("email", "why", "detail", "since")
    list_filter = ("reason",)
    search_fields = ("email__icontains",)
    search_help_text = "Any part of the address"
    ordering = ("-pk",)
    actions = ("lift",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        """Tell whose address it is, or was before they were merged; that of nobody here is nobody's."""
        theirs = Contact.objects.filter(email=OuterRef("email")).values("pk")
        once = Alias.objects.filter(email=OuterRef("email")).values("contact")[:1]
        whose = Coalesce(Subquery(theirs), Subquery(once), output_field=BigIntegerField())
        return super().get_queryset(request).annotate(contact_id_=whose)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["email", "why", "detail", "since"] if obj else ["email", "detail"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def verbs(self, request: HttpRequest, obj: Suppression) -> list[str]:
        return ["lift"] if obj.reason != Suppression.Reason.CRM_OPT_OUT else []

    def has_lift_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "delete_suppression")

    @admin.display(description="Why", ordering="reason")
    def why(self, row: Suppression) -> str:
        return row.get_reason_display()

    @admin.display(description="Since", ordering="created_at")
    def since(self, row: Suppression) -> SafeString:
        return format.moment_html(row.created_at)

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        """Stop the enrollments of the address with it."""
        by = request.user.get_username()
        stopped = suppress_addresses(
            [obj.email], Suppression.Reason.BY_HAND, now(), by=by, detail=obj.detail
        )
        obj.pk = Suppression.objects.values_list("pk", flat=True).get(email=obj.email)
        obj.reason = (
            Suppression.Reason.BY_HAND
        )  # the log of the admin names it so, not by the address
        if stopped:
            self.message_user(request, f"{stopped} sequences stopped for this address.")

    @admin.action(description="Allow mail again…", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> HttpResponse | None:
        reason = confirmation.typed_reason(request)
        if not (confirmation.is_confirmed(request) and reason):
            return confirmation.render_confirmation(
                self, request, queryset, action="lift", title="Allow mail again",
                what_happens="These addresses may be written to again. Do this only when the person "
                "asked for it; somebody who unsubscribed in the CRM has to be changed there.",
                button="Allow mail again", wants_reason=True,
            )  # fmt: skip
        rows = Suppression.objects.filter(pk__in=queryset.values("pk"))
        rows = rows.exclude(reason=Suppression.Reason.CRM_OPT_OUT)
        for row in rows:
            self.log_change(request, row, f"Mail allowed again: {reason}")
        number, _ = rows.delete()
        level = messages.SUCCESS if number else messages.WARNING
        self.message_user(request, f"{number} addresses may be written to again.", level)
        return None
