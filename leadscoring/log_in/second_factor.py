"""Whether somebody has a second factor, and what helps who has lost it."""

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AbstractBaseUser

from leadscoring.log_in import events, sessions

# Recovery codes alone are none: they come with one of these.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(user: AbstractBaseUser) -> bool:
    return Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).exists()


def remove_second_factor(user: AbstractBaseUser) -> bool:
    """Remove what somebody has lost, end their sessions, and return whether there was anything."""
    removed, _ = Authenticator.objects.filter(user_id=user.pk).delete()
    if removed:
        events.record("second_factor_removed", user)
        sessions.end_others(user)
    return bool(removed)
