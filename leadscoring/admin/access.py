"""Users and groups of the admin, and API keys."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring import api_keys
from leadscoring.admin import confirmation
from leadscoring.admin.model_admin import AppModelAdmin, NamedListAdmin
from leadscoring.admin.sensitive import SensitiveAdmin
from leadscoring.admin.unfold_types import ModelForm
from leadscoring.common import format
from leadscoring.intake.sources import rename_source
from leadscoring.log_in.second_factor import remove_second_factor
from leadscoring.models import ApiKey

if TYPE_CHECKING:
    # unfold ships no types; its forms are Django's with another look.
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
    from django.contrib.auth.forms import AdminUserCreationForm as UserCreationForm

    DjangoUsers = DjangoUserAdmin[User]
    UserChange = UserChangeForm[User]
else:
    DjangoUsers = DjangoUserAdmin
    from unfold.forms import AdminPasswordChangeForm, UserCreationForm
    from unfold.forms import UserChangeForm as UserChange

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(SensitiveAdmin, DjangoUsers, NamedListAdmin[User]):
    actions = ("remove_second_factors",)
    form = UserChange
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    # What people may do is a matter of their groups alone.
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May do", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep whoever changed something, and oneself: the log of changes would go too. "Active" ends access."""
        if obj is None or obj == request.user or LogEntry.objects.filter(user=obj).exists():
            return False
        return bool(super().has_delete_permission(request, obj))

    def has_remove_second_factors_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description="Remove a lost second factor…", permissions=["remove_second_factors"])
    def remove_second_factors(
        self, request: HttpRequest, queryset: QuerySet[User]
    ) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            return confirmation.render_confirmation(
                self, request, queryset, action="remove_second_factors", title="Remove the second factor",
                what_happens="Their apps, passkeys and recovery codes are forgotten and their sessions end: "
                "the password alone lets them in until they set up new ones. Be sure who asked you.",
                button="Remove",
            )  # fmt: skip
        removed = [user for user in queryset if remove_second_factor(user)]
        for user in removed:
            self.log_change(request, user, "Removed the second factor")
        self.message_user(
            request, f"{len(removed)} removed.", messages.SUCCESS if removed else messages.WARNING
        )
        return None


@admin.register(Group)
class GroupAdmin(SensitiveAdmin, DjangoGroupAdmin, NamedListAdmin[Group]):
    pass


class ApiKeyForm(ModelForm[ApiKey]):
    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        try:
            api_keys.check_name(name)
        except ValueError as own:
            raise forms.ValidationError(str(own)) from None
        return name


@admin.register(ApiKey)
class ApiKeyAdmin(SensitiveAdmin, AppModelAdmin[ApiKey]):
    form = ApiKeyForm
    about = (
        "A key lets a program send people and activities. Its text is shown once, when it is made."
    )
    nothing = "No program may send anything yet."
    list_display = ("name", "state", "allowed", "begins", "last_used", "made")
    ordering = ("-created_at",)
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        shown = ("name", "write_only", "begins", "state", "made", "last_used")
        return shown if obj else ("name", "write_only")

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> tuple[str, ...]:
        return ("begins", "state", "made", "last_used", *(("write_only",) if obj else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change_apikey")

    @admin.display(description="State", ordering="revoked_at")
    def state(self, key: ApiKey) -> SafeString:
        return (
            format.badge_html("revoked", "bad")
            if key.revoked_at
            else format.badge_html("usable", "good")
        )

    @admin.display(description="May", ordering="write_only")
    def allowed(self, key: ApiKey) -> str:
        return "send" if key.write_only else "send and read"

    @admin.display(description="Begins with")
    def begins(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description="Last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> SafeString:
        return format.moment_html(key.last_used_at)

    @admin.display(description="Made", ordering="created_at")
    def made(self, key: ApiKey) -> SafeString:
        return format.moment_html(key.created_at)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])
            rename_source(form.initial["name"], obj.name)
            return
        key, obj.text = api_keys.create_key(obj.name, write_only=obj.write_only)  # type: ignore[attr-defined] # for the answer alone
        obj.pk = key.pk

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key in this answer and nowhere else: a message would be stored."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"API key {obj}",
            "key": obj.text,
        }
        return TemplateResponse(request, "admin/leadscoring/apikey/made.html", context)

    @admin.action(description="Revoke…", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            return confirmation.render_confirmation(
                self, request, queryset, action="revoke", title="Revoke API keys",
                what_happens="Programs that use them are refused from now on. This cannot be undone.",
                button="Revoke",
            )  # fmt: skip
        revoked = api_keys.revoke_keys(queryset, now())
        self.message_user(
            request, f"{revoked} revoked.", messages.SUCCESS if revoked else messages.WARNING
        )
        return None
