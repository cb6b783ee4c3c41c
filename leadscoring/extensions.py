"""Where an upper app adds to what a lower one shows, answers or decides.

A question goes to everything that was added here; a fact is a signal (leadscoring.signals). Apps add in
AppConfig.ready, or in their admin package, which is imported then too.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from django.db.models import Exists
    from django.db.models.expressions import Combinable
    from django.http import HttpResponse
    from prometheus_client.core import Metric

    from leadscoring.admin.model_admin import FilterQuestion
    from leadscoring.intake.csv_import.importer import ImportKind
    from leadscoring.models import Contact
    from leadscoring.operations.health import Problem

Extension = TypeVar("Extension")


class ExtensionPoint(dict[str, Extension], Generic[Extension]):
    """Extensions by name, in the order in which they were added."""

    def add(self, name: str, extension: Extension) -> None:
        """Raise ValueError when another extension has the name."""
        if self.setdefault(name, extension) is not extension:
            raise ValueError(f"there is another extension {name!r}")


@dataclass(frozen=True, slots=True)
class FunnelStation:
    """A stop of the loop on the home page: how many people came so far, and where they are listed.

    Stations of a small `place` come first.
    """

    place: int
    name: str
    people: int
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PageSection:
    """A part of a page that another app writes: a template and what it shows.

    Sections of a small `place` come first.
    """

    place: int
    title: str
    template: str
    shows: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ActivityUse:
    """What waits for activities of a type: a rule, the condition of a sequence."""

    type: str
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class ContactAction:
    """What people may do with contacts, in their list and on the page of one.

    `run`: a function of (page, request, contacts). `permission`: who may.
    """

    run: "Callable[..., HttpResponse | None]"
    words: str
    permission: str


# Why the installation is not ready, "" when it is. The name is the check's in `/readyz`.
readiness_checks: ExtensionPoint[Callable[[datetime], str]] = ExtensionPoint()
# The name of the CRM, for pages.
crm_names: ExtensionPoint[Callable[[], str]] = ExtensionPoint()
# What needs a person, for the home page.
problem_sources: "ExtensionPoint[Callable[[datetime], Iterable[Problem]]]" = ExtensionPoint()
# Figures for Prometheus.
metric_sources: "ExtensionPoint[Callable[[datetime], Iterable[Metric]]]" = ExtensionPoint()
# What joins a contact's JSON, under its name.
contact_details: "ExtensionPoint[Callable[[Contact, datetime], list[dict[str, Any]]]]" = (
    ExtensionPoint()
)
# Since when a contact is with sales, NULL when not: an SQL expression, made of the name by which its
# query knows the contact's id. What may change the answer sends `with_sales_changed`.
with_sales: "ExtensionPoint[Callable[[str], Combinable]]" = ExtensionPoint()
# A word for why a contact's address may not be written to, as a query expression over contacts; null where
# it may.
mail_bans: ExtensionPoint[Callable[[], Any]] = ExtensionPoint()
# What keeps a contact from being deleted when the import that made it is undone, as conditions of a query
# set of contacts.
contact_ties: "ExtensionPoint[Callable[[], Exists]]" = ExtensionPoint()
# What rows of an uploaded file are, beside people and activities, by the kind of `Import`.
file_kinds: "ExtensionPoint[Callable[[], ImportKind]]" = ExtensionPoint()
# Parts of the home page, for a user: none that the user may not see.
home_sections: ExtensionPoint[Callable[[Any, datetime], Iterable[FunnelStation | PageSection]]] = (
    ExtensionPoint()
)
# Parts of a contact's page, for a user.
contact_sections: "ExtensionPoint[Callable[[Contact, Any, datetime], Iterable[PageSection]]]" = (
    ExtensionPoint()
)
# Filters of the list of contacts. The name is the value in the page's address.
contact_questions: "ExtensionPoint[FilterQuestion]" = ExtensionPoint()
contact_actions: ExtensionPoint[ContactAction] = ExtensionPoint()
# What waits for activities, as far as a user may see it, at an instant.
activity_uses: ExtensionPoint[Callable[[Any, datetime], Iterable[ActivityUse]]] = ExtensionPoint()
