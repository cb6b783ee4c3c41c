"""The access log of people as a page: who read whom, when and by which way. Nobody can change it."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from leadscoring import access_log
from leadscoring.admin.model_admin import (
    FilterQuestion,
    LookupFilter,
    QuestionFilter,
    ReadOnlyModelAdmin,
)
from leadscoring.common import format
from leadscoring.common.email_address import fold_email
from leadscoring.models import AccessEntry, Alias, Contact

MOST_NAMED = 100  # on an entry's page
MOST_OF_A_NAME = 50
MOST_WORDS = 12  # more are no name


def period_question(words: str, days: int) -> FilterQuestion:
    return FilterQuestion(
        words, lambda rows, at: rows.filter(at__gte=at - timedelta(days=days)), place=days
    )


class PeriodQuestions(QuestionFilter):
    title = "time"
    questions = {
        "day": period_question("Last 24 hours", 1),
        "week": period_question("Last 7 days", 7),
        "month": period_question("Last 30 days", 30),
        "quarter": period_question("Last 90 days", 90),
    }


class WayFilter(LookupFilter):
    title = "way"
    parameter_name = "way"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(way.value, str(way.label)) for way in AccessEntry.Way]

    def narrow(self, rows: Any, chosen: str) -> QuerySet[AccessEntry]:
        found: QuerySet[AccessEntry] = rows.filter(way=chosen)
        return found


class PersonFilter(LookupFilter):
    """Who looked at one person: offered by the person's page, and shown only then."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name, "")
        if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
            return []
        people = access_log.contacts_of([int(asked)])
        access_log.note_people(person.pk for person in people)
        name = str(people[0]) if people else f"contact {int(asked)}, erased"
        return [(asked, name)]

    def narrow(self, rows: Any, chosen: str) -> QuerySet[AccessEntry]:
        found: QuerySet[AccessEntry] = rows.filter(
            people__overlap=access_log.numbers_of([int(chosen)])
        )
        return found


@admin.register(AccessEntry)
class AccessEntryAdmin(ReadOnlyModelAdmin[AccessEntry]):
    about = "Who looked at people's data, and by which way. Looking here for a person is noted too."
    list_before_template = "admin/leadscoring/accessentry/above.html"
    nothing = "Nobody has looked at anybody."
    list_display = ("when", "who", "how", "number")
    list_display_links = ("when",)
    list_filter = (PeriodQuestions, WayFilter, PersonFilter)
    search_fields = ("by",)
    search_help_text = "Whole e-mail address or name of a person, or who looked"
    ordering = ("-pk",)
    fields = ("when", "who", "how", "number", "whom")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say above the list whom it is about, when it is about one person."""
        response = super().changelist_view(request, extra_context)
        shown: dict[str, Any] = getattr(response, "context_data", {})
        if changes := shown.get("cl"):
            persons = (spec for spec in changes.filter_specs if isinstance(spec, PersonFilter))
            names = (name for spec in persons for _, name in spec.lookup_choices)
            shown["about_person"] = next(names, "")
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AccessEntry], search_term: str
    ) -> tuple[QuerySet[AccessEntry], bool]:
        term = " ".join(search_term.split())
        if not term:
            return queryset, False
        people = _called(term)
        access_log.note_people(people)
        found = Q(by__iexact=term)
        if people:
            found |= Q(people__overlap=access_log.numbers_of(people))
        return queryset.filter(found), False

    @admin.display(description="When", ordering="at")
    def when(self, entry: AccessEntry) -> SafeString:
        return format.moment_html(entry.at)

    @admin.display(description="Who", ordering="by")
    def who(self, entry: AccessEntry) -> SafeString:
        return format.two_lines_html(entry.by, _kind_of_reader(entry))

    @admin.display(description="By which way", ordering="way")
    def how(self, entry: AccessEntry) -> SafeString:
        return format.two_lines_html(entry.get_way_display(), entry.place)

    @admin.display(description="People")
    def number(self, entry: AccessEntry) -> str:
        return f"{len(entry.people):,}"

    @admin.display(description="Whom")
    def whom(self, entry: AccessEntry) -> SafeString:
        """Return the people by their names of today, with links; erased ones are only counted above."""
        people = access_log.contacts_of(entry.people[:MOST_NAMED])
        access_log.note_people(person.pk for person in people)
        links = format.join_html(
            format.link_html(format.change_url(person), person) for person in people
        )
        more = len(entry.people) - MOST_NAMED
        return format_html("{} and {} more", links, f"{more:,}") if more > 0 else links


def _called(term: str) -> set[int]:
    """Return the ids of people of exactly this address or name. Each part of the query has its index."""
    email, words = fold_email(term), term.split(" ")
    found = Q(email=email) | Q(external_id=term)
    for cut in range(len(words) + 1) if len(words) <= MOST_WORDS else ():
        first, last = " ".join(words[:cut]), " ".join(words[cut:])
        found |= Q(first_name__iexact=first, last_name__iexact=last)
    named = Contact.objects.filter(found).values_list("pk", flat=True)[:MOST_OF_A_NAME]
    once = Alias.objects.filter(email=email).values_list("contact", flat=True)
    return {*named, *once}


def _kind_of_reader(entry: AccessEntry) -> str:
    if entry.way == AccessEntry.Way.COMMAND:
        return "user of the system"
    return "API key" if entry.way in (AccessEntry.Way.API_ONE, AccessEntry.Way.API_MANY) else "user"
