"""The sessions that somebody has open: where and since when, and how they are ended."""

from datetime import datetime

from allauth.core import context
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now


def live_sessions(user: AbstractBaseUser, at: datetime) -> QuerySet[UserSession]:
    keys = Session.objects.filter(expire_date__gt=at).values("session_key")
    return UserSession.objects.filter(user_id=user.pk, session_key__in=keys)


def record_session(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Note from where a session is used, and forget those of this user that are over."""
    gone = UserSession.objects.filter(user_id=user.pk)
    gone.exclude(pk__in=live_sessions(user, now()).values("pk")).delete()
    UserSession.objects.create_from_request(request, user=user)


def end_sessions(sessions: QuerySet[UserSession]) -> int:
    """End sessions at once; return how many."""
    Session.objects.filter(session_key__in=sessions.values("session_key")).delete()
    ended, _ = sessions.delete()
    return ended


def end_others(user: AbstractBaseUser) -> int:
    """End all sessions of a user but the one of this request."""
    own = getattr(getattr(context.request, "session", None), "session_key", None)
    return end_sessions(UserSession.objects.filter(user_id=user.pk).exclude(session_key=own or ""))
