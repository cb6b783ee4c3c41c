"""The search of the lists: words in any order, each a part of a name, a company or an address."""

from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest

from leadscoring.admin.model_admin import AppModelAdmin, Row
from leadscoring.common.fold import Fold
from leadscoring.models import ContactSearch

MOST_LETTERS = 200
MOST_WORDS = 8
# A shorter word is part of nearly every text, and the index knows no part as short: it has to begin a word.
SHORTEST_PART = 3


def contains_words(text: str, typed: str) -> Q:
    """Return the condition that a folded text with a blank before each word contains all typed words."""
    found = Q()
    for word in typed[:MOST_LETTERS].split()[:MOST_WORDS]:
        short = len(word) < SHORTEST_PART and not word.startswith("@")
        found &= Q(**{f"{text}__contains": Fold(Value(f" {word}" if short else word))})
    return found


def find_people(typed: str) -> QuerySet[ContactSearch, Any]:
    """Return the ids of the contacts that a search finds, for `contact__in`."""
    return ContactSearch.objects.filter(contains_words("text", typed)).values("contact")


def search_names(rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
    """Return the rows in whose `name` a search finds its words."""
    folded = rows.alias(folded=Fold(Concat(Value(" "), "name")))
    found: QuerySet[Any] = folded.filter(contains_words("folded", typed))
    return found


class PeopleSearch(AppModelAdmin[Row]):
    """A list that is searched by the people in it. `search_person`: the path to their contact."""

    search_person = "contact"
    search_fields = ("contact",)
    search_help_text = "Any part of a name, company or e-mail"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (self.search(queryset, search_term) if search_term.strip() else queryset), False

    def search(self, rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
        return rows.filter(**{f"{self.search_person}__in": find_people(typed)})
