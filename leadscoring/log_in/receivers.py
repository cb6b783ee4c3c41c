"""What is done at each log-in, by whatever way it was made, and what is noted of others' doings."""

from typing import Any

from allauth.mfa import signals as mfa_signals
from django.contrib.auth import signals
from django.http import HttpRequest

from leadscoring.log_in import events


def connect() -> None:
    for signal, receiver in (
        (signals.user_logged_in, on_log_in),
        (signals.user_logged_out, events.record_log_out),
        (signals.user_login_failed, events.record_refusal),
        (mfa_signals.authenticator_added, events.record_second_factor_added),
        (mfa_signals.authenticator_removed, events.record_second_factor_removed),
        (mfa_signals.authenticator_reset, events.record_recovery_codes),
    ):
        signal.connect(receiver, dispatch_uid=receiver.__name__)


def on_log_in(request: HttpRequest, user: Any, **_: Any) -> None:
    # Loaded when somebody logs in: workers and commands do without.
    from leadscoring.log_in import recent, sessions
    from leadscoring.operations.sessions import note_use

    note_use(request)
    recent.note_log_in(request, user)
    sessions.record_session(request, user)
    events.record("logged_in", user, request)
