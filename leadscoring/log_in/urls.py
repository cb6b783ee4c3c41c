"""Only what is meant to be there: nobody signs up, and no mail is sent.

They stand under `/admin/`, before the admin's own addresses; the names are those by which allauth asks.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from leadscoring.log_in import company, views
from leadscoring.log_in.views import in_admin

SECURITY = "Account security"

urlpatterns = [
    path("login/", in_admin(views.LogInView.as_view(), "Log in"), name="account_login"),
    path("login/company/", company.begin, name="company_log_in"),
    path("login/<str:provider_id>/callback/", company.finish, name="openid_connect_callback"),
    path("login/code/", in_admin(mfa.authenticate, "Second factor"), name="mfa_authenticate"),
    path("password_change/", admin.site.admin_view(views.change_password, cacheable=True)),
    path("account/", in_admin(views.SecurityView.as_view(), SECURITY), name="mfa_index"),
    path("account/sessions/end/", views.end_session, name="end_session"),
    path(
        "account/confirm/",
        in_admin(account.reauthenticate, "Is it you?"),
        name="account_reauthenticate",
    ),
    path(
        "account/confirm/code/",
        in_admin(mfa.reauthenticate, "Is it you?"),
        name="mfa_reauthenticate",
    ),
    path(
        "account/confirm/passkey/",
        in_admin(passkeys.reauthenticate_webauthn, "Is it you?"),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "account/app/add/", in_admin(totp.activate_totp, "Set up an app"), name="mfa_activate_totp"
    ),
    path(
        "account/app/remove/",
        in_admin(totp.deactivate_totp, "Remove the app"),
        name="mfa_deactivate_totp",
    ),
    path(
        "account/recovery-codes/",
        in_admin(recovery_codes.view_recovery_codes, "Recovery codes"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/recovery-codes/new/",
        in_admin(recovery_codes.generate_recovery_codes, "New recovery codes"),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/recovery-codes/download/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path(
        "account/passkeys/",
        RedirectView.as_view(pattern_name="mfa_index"),
        name="mfa_list_webauthn",
    ),
    path(
        "account/passkeys/add/",
        in_admin(passkeys.add_webauthn, "Add a passkey"),
        name="mfa_add_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/rename/",
        in_admin(passkeys.edit_webauthn, "Rename a passkey"),
        name="mfa_edit_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/remove/",
        in_admin(passkeys.remove_webauthn, "Remove a passkey"),
        name="mfa_remove_webauthn",
    ),
]
