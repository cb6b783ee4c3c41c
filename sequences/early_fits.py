"""Switch an entry rule on, for people who begin to fit from now on, or also for those who fit already.

Who fits at that moment is remembered, so that no later scoring takes them for new ones. They enter
here: all, or some a day, the highest score first.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from leadscoring.common.bulk_sql import run_statement
from leadscoring.common.turns import send_next_turn
from leadscoring.models import Contact, Lifecycle
from sequences.enrolling import enroll_contacts
from sequences.entry_rules import FACTS
from sequences.models import BY_A_RULE, EarlyFit, Enrollment, Sequence

TASK = "sequences.tasks.let_early_fits_in"
FROM_NOW_ON, ALL = 0, None  # for `early_fits_a_day`; any other number is how many
TOGETHER = 500  # people who enter in one transaction
DAY = timedelta(days=1)
REMEMBER = """
    INSERT INTO sequences_earlyfit (sequence_id, contact_id, state)
    SELECT %s, fitting.id, 'waiting' FROM ({people}) AS fitting(id) ORDER BY fitting.id
    ON CONFLICT DO NOTHING
"""


def people_who_fit(sequence: Sequence) -> QuerySet[Contact]:
    """Return whom the rule would let in now: `conditions_hold`, as a query. Past members do not fit.

    Nobody fits a rule that waits for an activity: it holds at the moment of that alone.
    """
    rule = sequence.enter_when
    if not rule or "activity" in rule:
        return Contact.objects.none()
    asked = {}
    for name, value in rule.items():
        fact, _, lookup = name.partition("__")
        asked[f"{FACTS[fact]}__{lookup}"] = value
    been = Enrollment.objects.filter(sequence=sequence, contact=OuterRef("pk"))
    people = Contact.objects.filter(~Exists(been), email__isnull=False, **asked)
    return people if "lifecycle__in" in rule else people.exclude(lifecycle_stage=Lifecycle.CUSTOMER)


def switch_on(sequence: Sequence, a_day: int | None, at: datetime) -> None:
    """Switch a sequence on, and let in who fits its rule already: `a_day`, ALL or FROM_NOW_ON.

    Of one that is on already this only changes who else is let in.
    """
    # Deleted in a transaction of their own: a scoring that holds one of them and its contact must not
    # wait for us while we wait for the contact.
    if not Sequence.objects.filter(pk=sequence.pk, active=True).exists():
        EarlyFit.objects.filter(sequence=sequence).delete()
    with transaction.atomic():
        fresh = Sequence.objects.select_for_update(no_key=True).get(pk=sequence.pk)
        fresh.active, fresh.early_fits_a_day, fresh.early_fits_since = True, a_day, at
        fresh.save(update_fields=["active", "early_fits_a_day", "early_fits_since", "updated_at"])
        _remember(fresh)
        if a_day != FROM_NOW_ON:
            transaction.on_commit(lambda: send_next_turn(TASK))


def switch_off(sequences: QuerySet[Sequence]) -> int:
    """Let nobody in and send nothing; return how many were on. Who waited to be let in is forgotten."""
    ids = list(sequences.filter(active=True).values_list("pk", flat=True))
    off = Sequence.objects.filter(pk__in=ids, active=True).update(
        active=False, early_fits_a_day=FROM_NOW_ON
    )
    EarlyFit.objects.filter(sequence__in=ids, sequence__active=False).delete()
    return off


def follow_new_rule(sequence: Sequence) -> None:
    """Count who fits an edited rule now among those who fitted before. Nobody of them is let in.

    Call in the transaction that stored the rule.
    """
    sequence.early_fits_a_day = FROM_NOW_ON
    sequence.save(update_fields=["early_fits_a_day"])
    _remember(sequence)
    # Not before the commit, for the reason in `switch_on`.
    transaction.on_commit(lambda: _forget_misfits(sequence))


def _forget_misfits(sequence: Sequence) -> None:
    fitting = people_who_fit(sequence).values("pk")
    sequence.early_fits.waiting().exclude(contact__in=fitting).delete()


def _remember(sequence: Sequence) -> None:
    """Write down who fits now, in one statement however many they are."""
    people = people_who_fit(sequence).values_list("pk", flat=True)
    if not people.query.is_empty():
        statement, parameters = people.query.sql_with_params()
        run_statement(REMEMBER.format(people=statement), [sequence.pk, *parameters])


# --- in


def let_in(at: datetime) -> bool:
    """Let in some of those who wait; return whether more of them may enter at once.

    Any number of workers may do this at once: a sequence is in the hands of one.
    """
    waiting = Sequence.objects.letting_early_fits_in().order_by("pk").values_list("pk", flat=True)
    more = [_let_some_in(pk, at) for pk in waiting]
    return any(more)


def _let_some_in(sequence_id: int, at: datetime) -> bool:
    with transaction.atomic():
        rows = Sequence.objects.letting_early_fits_in().filter(pk=sequence_id)
        sequence = rows.select_for_update(skip_locked=True, no_key=True).first()
        room = _room(sequence, at) if sequence else 0
        if sequence is None or not room:
            return False
        hottest = F("contact__score__total").desc(nulls_last=True)
        waiting = sequence.early_fits.waiting().order_by(hottest, "contact")
        ids = list(waiting.values_list("contact", flat=True)[:room])
        if not ids:
            return _finish_or_go_on(sequence)
        _enter(sequence, ids, at)
        return True


def _room(sequence: Sequence, at: datetime) -> int:
    """Return how many may enter now. A day begins at the time of day at which it was switched on."""
    if sequence.early_fits_a_day is ALL:
        return TOGETHER
    since = sequence.early_fits_since or at
    today = since + max((at - since) // DAY, 0) * DAY
    entered = sequence.early_fits.filter(entered_at__gte=today).count()
    return min(max(sequence.early_fits_a_day - entered, 0), TOGETHER)


def _finish_or_go_on(sequence: Sequence) -> bool:
    """End when nobody is left; return whether somebody is.

    Somebody whose score was being stored while the rule was switched on is found now.
    """
    _remember(sequence)
    if sequence.early_fits.waiting().exists():
        return True
    sequence.early_fits_a_day = FROM_NOW_ON
    sequence.save(update_fields=["early_fits_a_day"])
    return False


def _enter(sequence: Sequence, contact_ids: Collection[int], at: datetime) -> None:
    """Let in those of some contacts who still fit, and write down what became of each."""
    people = Contact.objects.filter(pk__in=contact_ids).order_by("pk")
    list(people.select_for_update(no_key=True).values_list("pk"))  # scores stand still from here on
    fitting = list(people_who_fit(sequence).filter(pk__in=contact_ids))
    entry = enroll_contacts(sequence, fitting, at, BY_A_RULE, again=False)
    rows = sequence.early_fits.waiting().filter(contact__in=contact_ids)
    entered = [row.contact_id for row in entry.entered]
    rows.filter(contact__in=entered).update(state=EarlyFit.State.ENTERED, entered_at=at)
    refused = [one.contact.pk for one in entry.refused]
    rows.filter(contact__in=refused).update(state=EarlyFit.State.NOT_ENROLLABLE)
    rows.delete()  # the rest does not fit any more


@dataclass(frozen=True, slots=True)
class EarlyFitCounts:
    """How far those who fitted before have come. `a_day` as in `switch_on`."""

    waiting: int
    entered: int
    not_enrollable: int
    a_day: int | None

    @property
    def total(self) -> int:
        return self.waiting + self.entered + self.not_enrollable


def count_early_fits(sequence: Sequence) -> EarlyFitCounts:
    states = EarlyFit.State
    counted = sequence.early_fits.aggregate(
        **{state.value: Count("pk", filter=Q(state=state)) for state in states}
    )
    return EarlyFitCounts(**counted, a_day=sequence.early_fits_a_day)
