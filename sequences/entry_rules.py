"""Enroll contacts by the rules of sequences, among those that were just scored."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db.models import Exists, OuterRef

from leadscoring.models import Contact
from sequences import conditions
from sequences.enrolling import enroll_contacts
from sequences.models import BY_A_RULE, EarlyFit, Enrollment, Sequence

FACTS = {
    "score": "score__total",
    "fit": "score__fit",
    "engagement": "score__engagement",
    "grade": "score__grade",
    "lifecycle": "lifecycle_stage",
}
Called = list[tuple[Sequence, int]]


def enroll_by_rules(
    contact_ids: Collection[int], types: Mapping[int, set[str]], at: datetime
) -> int:
    """Enroll the contacts that rules match, in the transaction of their scores; return how many.

    A rule enrolls a contact in a sequence once only. Queries grow with the sequences entered, never
    with the contacts.
    """
    early = EarlyFit.objects.waiting().filter(sequence=OuterRef("pk"))
    sequences = list(Sequence.objects.entered_by_rule().annotate(remembers=Exists(early)))
    called = list(_matching_entries(sequences, contact_ids, types))
    if remembering := [each for each in sequences if each.remembers]:  # type: ignore[attr-defined]
        called = _exclude_early_fits(called, remembering, contact_ids)
    called = _exclude_past_members(called)
    entered = 0
    for sequence in sequences:
        people = [Contact(pk=pk) for calling, pk in called if calling == sequence]
        if people:
            entered += len(enroll_contacts(sequence, people, at, BY_A_RULE, again=False).entered)
    return entered


def _matching_entries(
    sequences: Collection[Sequence], contact_ids: Collection[int], types: Mapping[int, set[str]]
) -> Iterable[tuple[Sequence, int]]:
    """Yield each sequence with each contact that its rule matches."""
    people = _entry_facts(contact_ids) if sequences else {}
    for sequence in sequences:
        for pk, facts in people.items():
            if conditions.conditions_hold(sequence.enter_when, facts, types.get(pk, ())):
                yield sequence, pk


def _exclude_early_fits(
    called: Called, sequences: Collection[Sequence], contact_ids: Collection[int]
) -> Called:
    """Leave out who fitted already when the rule was switched on. Who does not fit now is forgotten.

    Rows that are locked are being replaced by somebody who switches the sequence on.
    """
    rows = EarlyFit.objects.waiting().filter(sequence__in=sequences, contact__in=contact_ids)
    found = list(rows.select_for_update(of=("self",), skip_locked=True))
    fitting = {(sequence.pk, pk) for sequence, pk in called}
    early = {(row.sequence_id, row.contact_id) for row in found}
    gone = [row.pk for row in found if (row.sequence_id, row.contact_id) not in fitting]
    if gone:
        EarlyFit.objects.filter(pk__in=gone).delete()
    return [(sequence, pk) for sequence, pk in called if (sequence.pk, pk) not in early]


def _exclude_past_members(called: Called) -> Called:
    if not called:
        return called
    been = set(
        Enrollment.objects.filter(
            sequence__in={sequence for sequence, _ in called}, contact__in={pk for _, pk in called}
        ).values_list("sequence", "contact")
    )
    return [(sequence, pk) for sequence, pk in called if (sequence.pk, pk) not in been]


def _entry_facts(contact_ids: Collection[int]) -> dict[int, dict[str, object]]:
    """Return what conditions can ask, by contact; only of contacts with an address."""
    rows = Contact.objects.filter(pk__in=contact_ids, email__isnull=False)
    return {
        row["pk"]: {name: row[column] for name, column in FACTS.items()}
        for row in rows.values("pk", *FACTS.values())
    }
