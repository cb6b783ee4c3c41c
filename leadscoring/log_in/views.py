"""The log-in page, the page of one's own account, and changing the password."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.views import LoginView
from allauth.core import ratelimit
from allauth.core.internal.httpkit import authenticated_user
from allauth.mfa.base.views import IndexView
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from leadscoring.log_in import events, recent, sessions
from leadscoring.log_in.second_factor import has_second_factor


def in_admin(view: Callable[..., Any], title: str) -> Callable[..., Any]:
    """Give one of allauth's pages what the admin's frame shows."""

    @never_cache  # sessions, secrets of apps, recovery codes
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            frame = admin.site.each_context(request) | {"title": title}
            response.context_data = frame | (response.context_data or {})
        return response

    return page


class LogInView(LoginView):
    template_name = "account/login.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if admin.site.has_permission(request):
            return redirect(self.get_authenticated_redirect_url())
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        company = settings.OIDC_ISSUER and self.passthrough_next_url(reverse("company_log_in"))
        return super().get_context_data(**kwargs) | {"company": company}


class SecurityView(IndexView):
    """How somebody proves who they are, and where they are logged in."""

    template_name = "mfa/index.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = authenticated_user(self.request)
        return super().get_context_data(**kwargs) | {
            "must_have": settings.REQUIRE_SECOND_FACTOR and not has_second_factor(user),
            "sessions": sessions.live_sessions(user, now()).order_by("-last_seen_at"),
            "own": self.request.session.session_key,
        }


@login_required
@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """End one session of the user's own, or all others."""
    if asked := recent.ask_again(request, then=reverse("mfa_index")):
        return asked
    mine = sessions.live_sessions(authenticated_user(request), now())
    chosen = request.POST.get("session", "")
    others = mine.exclude(session_key=request.session.session_key)
    ended = sessions.end_sessions(others.filter(pk=chosen) if chosen.isdecimal() else others)
    if ended:
        events.record("session_ended", request.user, request)
        messages.success(request, "1 session ended." if ended == 1 else f"{ended} sessions ended.")
    return redirect("mfa_index")


def change_password(request: HttpRequest) -> HttpResponse:
    """The admin's own page, within the limits on guessing the old password."""
    refused = ratelimit.consume_or_429(request, action="change_password", user=request.user)
    if refused:
        return refused
    response: Any = admin.site.password_change(request)
    if request.method == "POST" and response.status_code == 302:
        sessions.record_session(request, authenticated_user(request))  # it has a new key
    elif request.method == "POST" and "old_password" in response.context_data["form"].errors:
        events.record("refused", request.user, request)
    return response
