"""Log-in by the company's directory (OpenID Connect), for accounts that exist here."""

from typing import Any, NoReturn

from allauth.account.utils import get_next_redirect_url
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from leadscoring.log_in import events

PROVIDER = "company"
TURNED_AWAY = (
    "The company's log-in did not let you in. Is your e-mail address the one of an account here?"
)
# What a directory's answer that lacks parts, or has others in their place, makes allauth throw.
MALFORMED = (KeyError, AttributeError, TypeError, ValueError, AssertionError)
# Its client's own errors of the network are OSErrors.
FAILURES = (OSError, OAuth2Error, *MALFORMED)


class CompanyAdapter(DefaultSocialAccountAdapter):
    def authenticate_by_email(self, sociallogin: Any) -> None:
        """Nobody: allauth would take the account's password away. `pre_social_login` finds who it is."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        user = _find_account(sociallogin)
        if user is None or sociallogin.state.get("process") != "login":
            _turn_away(request)
        sociallogin.user = user

    def on_authentication_error(self, request: HttpRequest, provider: Any, **_: Any) -> None:
        _turn_away(request)


def _find_account(sociallogin: Any) -> User | None:
    """Return the one active account of the admin that has the verified address that was told."""
    told = sociallogin.account.extra_data
    ids = {told[part]["sub"] for part in ("userinfo", "id_token")}
    addresses = [each.email for each in sociallogin.email_addresses if each.verified]
    if len(ids) != 1 or len(addresses) != 1:
        return None
    accounts = User.objects.filter(email__iexact=addresses[0], is_active=True, is_staff=True)[:2]
    return accounts[0] if len(accounts) == 1 else None


def _turn_away(request: HttpRequest) -> NoReturn:
    raise ImmediateHttpResponse(turn_away(request))


def turn_away(request: HttpRequest) -> HttpResponse:
    events.record("refused", request=request)
    messages.error(request, TURNED_AWAY)
    return redirect("account_login")


def begin(request: HttpRequest) -> HttpResponse:
    """Lead to the company's log-in. By GET: the CSP keeps a form's answer from leading elsewhere."""
    if not settings.OIDC_ISSUER:
        raise Http404
    if refused := ratelimit.consume_or_429(request, action="login", limit_get=True):
        return refused
    registry.load()
    # Who is in already is asked to prove it again.
    proof = {"prompt": "login"} if request.user.is_authenticated else {}
    try:
        return (
            get_adapter()
            .get_provider(request, PROVIDER)
            .redirect(
                request, process="login", next_url=get_next_redirect_url(request), auth_params=proof
            )
        )
    except FAILURES:
        return turn_away(request)


def finish(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Let in whom the company's log-in sends back."""
    from allauth.socialaccount.providers.openid_connect import views

    if not settings.OIDC_ISSUER or provider_id != PROVIDER:
        raise Http404
    registry.load()
    try:
        return views.callback(request, PROVIDER)
    except FAILURES:
        return turn_away(request)
