"""Only what is meant to be there: nobody signs up, and no mail is sent.

They stand under `/admin/`, before the admin's own addresses; the names are those by which allauth asks.
"""

from collections.abc import Callable
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib import admin
from django.urls import URLPattern, path
from django.views.generic import RedirectView

from leadscoring.log_in import company, views
from leadscoring.log_in.views import in_admin


def page(route: str, view: Callable[..., Any], title: str, name: str) -> URLPattern:
    """Return the address of one of allauth's pages in the admin's frame."""
    return path(route, in_admin(view, title), name=name)


urlpatterns = [
    page("login/", views.LogInView.as_view(), "Log in", "account_login"),
    path("login/company/", company.begin, name="company_log_in"),
    path("login/<str:provider_id>/callback/", company.finish, name="openid_connect_callback"),
    page("login/code/", mfa.authenticate, "Second factor", "mfa_authenticate"),
    path("password_change/", admin.site.admin_view(views.change_password, cacheable=True)),
    page("account/", views.SecurityView.as_view(), "Account security", "mfa_index"),
    path("account/sessions/end/", views.end_session, name="end_session"),
    page("account/confirm/", account.reauthenticate, "Is it you?", "account_reauthenticate"),
    page("account/confirm/code/", mfa.reauthenticate, "Is it you?", "mfa_reauthenticate"),
    page("account/confirm/passkey/", passkeys.reauthenticate_webauthn, "Is it you?", "mfa_reauthenticate_webauthn"),
    page("account/app/add/", totp.activate_totp, "Set up an app", "mfa_activate_totp"),
    page("account/app/remove/", totp.deactivate_totp, "Remove the app", "mfa_deactivate_totp"),
    page("account/recovery-codes/", recovery_codes.view_recovery_codes, "Recovery codes", "mfa_view_recovery_codes"),
    page("account/recovery-codes/new/", recovery_codes.generate_recovery_codes, "New recovery codes", "mfa_generate_recovery_codes"),
    path(
        "account/recovery-codes/download/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("account/passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    page("account/passkeys/add/", passkeys.add_webauthn, "Add a passkey", "mfa_add_webauthn"),
    page("account/passkeys/<int:pk>/rename/", passkeys.edit_webauthn, "Rename a passkey", "mfa_edit_webauthn"),
    page("account/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, "Remove a passkey", "mfa_remove_webauthn"),
]  # fmt: skip
