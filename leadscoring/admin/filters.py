"""The questions that marketers ask of the list of contacts. Other apps add theirs to `contact_questions`."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from leadscoring.admin.dashboard import BAND, TOP_BAND, stages_from_mql
from leadscoring.admin.model_admin import FilterQuestion, LookupFilter, QuestionFilter
from leadscoring.extensions import contact_questions
from leadscoring.models import Contact, Effect, Lifecycle

Contacts = QuerySet[Contact]
QUIET = timedelta(days=30)


def filter_mql(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(lifecycle_stage__in=stages_from_mql())


def filter_paused(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(crm_state__effect=Effect.PAUSE)


def filter_stopped(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(crm_state__effect=Effect.STOP)


def filter_quiet(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(Q(last_activity_at__lt=at - QUIET) | Q(last_activity_at=None))


def filter_unscored(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(score=None)


def filter_scored(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(score__isnull=False)


def filter_disqualified(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(score__disqualified=True)


contact_questions.add("mql", FilterQuestion("MQL or further", filter_mql, pill=False))
contact_questions.add("paused", FilterQuestion("Paused by a deal", filter_paused))
contact_questions.add("stopped", FilterQuestion("Stopped by a deal", filter_stopped, pill=False))
contact_questions.add("quiet", FilterQuestion("No activity for 30 days", filter_quiet))
contact_questions.add("unscored", FilterQuestion("Never scored", filter_unscored))
contact_questions.add("scored", FilterQuestion("Scored", filter_scored, pill=False))
contact_questions.add("disqualified", FilterQuestion("Disqualified", filter_disqualified))


class ContactQuestions(QuestionFilter):
    questions = contact_questions


class FitFilter(LookupFilter):
    title = "fit"
    parameter_name = "fit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(letter, f"Fit {letter}") for letter in "ABCD"]

    def narrow(self, rows: Contacts, chosen: str) -> Contacts:
        return rows.filter(score__grade__in=[chosen + engagement for engagement in "1234"])


class EngagementFilter(LookupFilter):
    title = "engagement"
    parameter_name = "engagement"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(digit, f"Engagement {digit}") for digit in "1234"]

    def narrow(self, rows: Contacts, chosen: str) -> Contacts:
        return rows.filter(score__grade__in=[fit + chosen for fit in "ABCD"])


class LifecycleFilter(LookupFilter):
    title = "lifecycle stage"
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stage.value, stage.label) for stage in Lifecycle]

    def narrow(self, rows: Contacts, chosen: str) -> Contacts:
        return rows.filter(lifecycle_stage=chosen)


class BandFilter(LookupFilter):
    """The score's band of ten, as the home page draws them."""

    title = "score"
    parameter_name = "band"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        below = [(str(start), f"{start} to {start + BAND}") for start in range(0, TOP_BAND, BAND)]
        return [*below, (str(TOP_BAND), f"{TOP_BAND} and more")]

    def narrow(self, rows: Contacts, chosen: str) -> Contacts:
        start = int(chosen)
        if start:
            rows = rows.filter(score__total__gte=start)
        return rows if start == TOP_BAND else rows.filter(score__total__lt=start + BAND)
