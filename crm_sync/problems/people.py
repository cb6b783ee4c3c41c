"""Problems of contacts known here and in the CRM that need a person."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Q

from crm_sync.models import Link, OptOut
from leadscoring.common.format import list_url
from leadscoring.models import Contact
from leadscoring.operations.health import Problem
from sequences.models import Suppression

MOST_CAUSES = 5


def people_problems(at: datetime) -> list[Problem]:
    gone, taken = Q(gone_for_good=True), ~Q(taken_email="")
    counts = Link.objects.filter(gone | taken).aggregate(
        gone=Count("pk", filter=gone), taken=Count("pk", filter=taken)
    )
    return [
        *gone_problem(counts["gone"]),
        *taken_address_problem(counts["taken"]),
        *opt_out_problems(),
    ]


def gone_problem(count: int) -> Iterator[Problem]:
    if count:
        whose = "1 person's record was" if count == 1 else f"{count:,} people's records were"
        yield Problem(
            "warning",
            f"{whose} deleted for good in the CRM: erase them here?",
            "Choose who asked for it, and erase them for good; whoever was deleted by mistake can stay.",
            list_url(Contact, ask="gone-for-good"),
        )


def taken_address_problem(count: int) -> Iterator[Problem]:
    if count:
        who = "1 person has" if count == 1 else f"{count:,} people have"
        yield Problem(
            "warning",
            f"{who} an address in the CRM that is somebody else's here: it was not taken over.",
            "Merge the two in the CRM if they are one person, or correct the address there.",
            list_url(Contact, ask="address-taken"),
        )


def opt_out_problems() -> Iterator[Problem]:
    """Yield one problem for each cause, however many people it concerns."""
    causes = OptOut.objects.failed().values("reason").annotate(n=Count("pk"))
    for cause in causes.order_by("-n", "reason")[:MOST_CAUSES]:
        who = "1 person wants" if cause["n"] == 1 else f"{cause['n']:,} people want"
        yield Problem(
            "warning",
            f"{who} no mail, and the CRM could not be told: {cause['reason']}",
            "It is tried again by itself as soon as the cause is mended; until then, opt them out there by hand.",
            list_url(Suppression),
        )
