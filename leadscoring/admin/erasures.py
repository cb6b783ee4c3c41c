"""Erase people for good, by hand: show what goes first, and let a person confirm it."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from leadscoring.admin import confirmation
from leadscoring.erasing import erase_contact
from leadscoring.extensions import ContactAction, contact_actions
from leadscoring.log_in.recent import ask_again
from leadscoring.models import Activity, Contact

# More at once would take longer than a page may; the rest is still chosen by the filter.
MOST = 200
GOES = (
    "All that is known of them goes, and nobody can bring it back: profile and its history, ids elsewhere, "
    "{activities}, scores, handoffs, sequences, mails and their entry in Do not mail. Only a hash of the address stays, which keeps it "
    "from being taken in again."
)
STAYS = " {whose} in the CRM stays there: delete it there too, if that was asked for."


def erase_contacts(
    page: Any, request: HttpRequest, contacts: QuerySet[Contact]
) -> HttpResponse | None:
    if asks := ask_again(request):
        return asks
    chosen = Contact.objects.filter(pk__in=contacts.order_by().values("pk"))
    if not confirmation.is_confirmed(request):
        return confirmation.render_confirmation(
            page, request, chosen, action="erase_contacts", title="Erase for good",
            what_happens=_what_is_erased(chosen), button="Erase for good",
        )  # fmt: skip
    people = list(chosen.order_by("pk")[:MOST])
    for contact in people:
        page.log_change(request, contact, "Erased for good")
    erased = sum(erase_contact(contact.pk, now()) for contact in people)
    left = f" The first {MOST} were; press it again for the others." if chosen.exists() else ""
    who = "1 person" if erased == 1 else f"{erased:,} people"
    page.message_user(request, f"{who} erased.{left}", messages.SUCCESS)
    return None


contact_actions.add(
    "erase_contacts",
    ContactAction(erase_contacts, "Erase for good…", "leadscoring.delete_contact"),
)


def _what_is_erased(chosen: QuerySet[Contact]) -> str:
    """What goes with people, and what stays where."""
    done = Activity.objects.filter(contact__in=chosen).count()
    activities = "1 activity" if done == 1 else f"{done:,} activities"
    there = chosen.aggregate(n=Count("pk", filter=Q(crm_state__record_id__gt="")))["n"]
    whose = "1 person's record" if there == 1 else f"The record of {there:,} people"
    return GOES.format(activities=activities) + (STAYS.format(whose=whose) if there else "")
