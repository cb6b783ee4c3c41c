from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sequences.policy import (
    CrmSays,
    Decision,
    Enrolled,
    Go,
    Hold,
    Pause,
    Resume,
    Stop,
    decide,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FRESH = NOON - timedelta(minutes=1)
STALE = NOON - timedelta(minutes=31)
MAX_AGE = timedelta(minutes=15)

ACTIVE = Enrolled()
PAUSED_BY_CRM = Enrolled(paused=True, paused_by_the_crm=True)
PAUSED_BY_HAND = Enrolled(paused=True)
PAUSED_BY_HANDOFF = Enrolled(paused=True, paused_by_a_handoff=True)
HANDED_OVER = datetime(2026, 5, 3, 9, tzinfo=UTC)
SUPPRESSED = Enrolled(suppressed="Unsubscribed")

NOTHING = CrmSays("none")
PAUSES = CrmSays("pause", "Deal X is in negotiation")
STOPS = CrmSays("stop", "Deal X is won")
OPTED_OUT = CrmSays("none", opted_out=True)
STRANGE = CrmSays("later")

IN_NEGOTIATION = "Deal X is in negotiation"
WON = "Deal X is won"
OUT = "Opt-out in the CRM: no e-mail"
NOT_ASKED = "The CRM has not been asked about this person yet"
NEVER_READ = "The CRM has not been read yet; mail waits until it is"
TOO_OLD = "The CRM was last read 31 minutes ago; mail waits until it is read again"
WITH_SALES = "With sales since 3 May 2026"
BY_HAND = "It is paused until a person resumes it"
NOT_UNDERSTOOD = "The CRM's state of this person is not understood: later"

TABLE: list[tuple[Enrolled, CrmSays | None, datetime | None, Decision]] = [
    (ACTIVE, NOTHING, FRESH, Go()),
    # What is not known holds.
    (ACTIVE, None, FRESH, Hold(NOT_ASKED)),
    (ACTIVE, None, None, Hold(NOT_ASKED)),
    (ACTIVE, NOTHING, None, Hold(NEVER_READ)),
    (ACTIVE, NOTHING, STALE, Hold(TOO_OLD)),
    (ACTIVE, STRANGE, FRESH, Hold(NOT_UNDERSTOOD)),
    # A deal pauses and stops, however old the word is.
    (ACTIVE, PAUSES, FRESH, Pause(IN_NEGOTIATION)),
    (ACTIVE, PAUSES, STALE, Pause(IN_NEGOTIATION)),
    (ACTIVE, STOPS, FRESH, Stop(WON)),
    (ACTIVE, STOPS, None, Stop(WON)),
    # So does the handoff to sales; a deal is named before it.
    (Enrolled(with_sales=HANDED_OVER), NOTHING, FRESH, Pause(WITH_SALES, by_a_handoff=True)),
    (Enrolled(with_sales=HANDED_OVER), None, None, Pause(WITH_SALES, by_a_handoff=True)),
    (Enrolled(with_sales=HANDED_OVER), PAUSES, FRESH, Pause(IN_NEGOTIATION)),
    (Enrolled(with_sales=HANDED_OVER), STOPS, FRESH, Stop(WON)),
    (
        Enrolled(suppressed="Unsubscribed", with_sales=HANDED_OVER),
        NOTHING,
        FRESH,
        Stop("Unsubscribed"),
    ),
    (replace(PAUSED_BY_HANDOFF, with_sales=HANDED_OVER), NOTHING, FRESH, Hold(WITH_SALES)),
    (replace(PAUSED_BY_HANDOFF, with_sales=HANDED_OVER), PAUSES, FRESH, Pause(IN_NEGOTIATION)),
    (replace(PAUSED_BY_CRM, with_sales=HANDED_OVER), PAUSES, FRESH, Hold(IN_NEGOTIATION)),
    (
        replace(PAUSED_BY_CRM, with_sales=HANDED_OVER),
        NOTHING,
        FRESH,
        Pause(WITH_SALES, by_a_handoff=True),
    ),
    (replace(PAUSED_BY_HAND, with_sales=HANDED_OVER), NOTHING, FRESH, Hold(BY_HAND)),
    (PAUSED_BY_HANDOFF, NOTHING, STALE, Resume()),
    (PAUSED_BY_HANDOFF, None, None, Resume()),
    (PAUSED_BY_HANDOFF, STOPS, FRESH, Stop(WON)),
    # A pause of the CRM's ends with its cause; a person's pause does not.
    (PAUSED_BY_CRM, NOTHING, FRESH, Resume()),
    (PAUSED_BY_CRM, NOTHING, STALE, Resume()),
    (PAUSED_BY_CRM, PAUSES, FRESH, Hold(IN_NEGOTIATION)),
    (PAUSED_BY_CRM, STOPS, FRESH, Stop(WON)),
    (PAUSED_BY_CRM, None, FRESH, Hold(NOT_ASKED)),
    (PAUSED_BY_CRM, STRANGE, FRESH, Hold(NOT_UNDERSTOOD)),
    (PAUSED_BY_HAND, NOTHING, FRESH, Hold(BY_HAND)),
    (PAUSED_BY_HAND, PAUSES, FRESH, Hold(BY_HAND)),
    (PAUSED_BY_HAND, STOPS, FRESH, Stop(WON)),
    # Whoever does not want our mail gets none, whatever else is so.
    (ACTIVE, OPTED_OUT, FRESH, Stop(OUT)),
    (PAUSED_BY_HAND, OPTED_OUT, FRESH, Stop(OUT)),
    (SUPPRESSED, NOTHING, FRESH, Stop("Unsubscribed")),
    (SUPPRESSED, None, None, Stop("Unsubscribed")),
    (SUPPRESSED, STOPS, FRESH, Stop("Unsubscribed")),
]


@pytest.mark.parametrize(("enrolled", "crm", "as_of", "decision"), TABLE)
def test_the_decision_is_the_tables(
    enrolled: Enrolled, crm: CrmSays | None, as_of: datetime | None, decision: Decision
) -> None:
    assert decide(enrolled, crm, as_of, NOON, MAX_AGE) == decision


@pytest.mark.parametrize(("seconds", "goes"), [(899, True), (900, True), (901, False)])
def test_the_crm_may_be_as_old_as_the_setting_says(seconds: int, goes: bool) -> None:
    as_of = NOON - timedelta(seconds=seconds)

    decision = decide(ACTIVE, NOTHING, as_of, NOON, timedelta(seconds=900))

    assert (decision == Go()) is goes
