"""Decide, from the CRM's state of a contact and its enrollment: go on, wait, pause or stop, and why. Pure.

What is not known holds: no mail goes to a contact whose deal may forbid it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from leadscoring.common.spans import spell_span


@dataclass(frozen=True, slots=True)
class Go:
    """The due mail may leave."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The mail waits; nothing about the enrollment changes."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """The enrollment waits until the CRM's state of the person changes, or they are back from sales."""

    reason: str
    by_a_handoff: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """What paused the enrollment is over."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The enrollment is over for good."""

    reason: str


Decision = Go | Hold | Pause | Resume | Stop


@dataclass(frozen=True, slots=True)
class CrmSays:
    """What the CRM says of a person. `effect` is none, pause or stop; `because` names the deal."""

    effect: str
    reason: str = ""
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What of an enrollment the decision depends on. `suppressed` says why; empty: it is not.

    `with_sales`: since when its person is with sales, if its sequence asks for that.
    """

    suppressed: str = ""
    paused: bool = False
    paused_by_the_crm: bool = False
    paused_by_a_handoff: bool = False
    with_sales: datetime | None = None


def decide(
    enrolled: Enrolled,
    crm: CrmSays | None,
    as_of: datetime | None,
    at: datetime,
    max_age: timedelta,
) -> Decision:
    """Return the decision about one open enrollment at an instant.

    `crm` None: the CRM was not asked about this person yet. `as_of` None: it was never read whole.
    """
    return (
        _final_stop(enrolled, crm)
        or _pause_or_resume(enrolled, crm)
        or _unknown_effect(crm)
        or stale_hold(as_of, at, max_age)
        or Go()
    )


def _final_stop(enrolled: Enrolled, crm: CrmSays | None) -> Stop | None:
    """Return what ends an enrollment in any state, however old the CRM's state is."""
    if enrolled.suppressed:
        return Stop(enrolled.suppressed)
    if crm and crm.opted_out:
        return Stop("Opt-out in the CRM: no e-mail")
    if crm and crm.effect == "stop":
        return Stop(crm.reason)
    return None


def _pause_or_resume(enrolled: Enrolled, crm: CrmSays | None) -> Hold | Pause | Resume | None:
    """Begin, keep or end a pause. Neither the CRM nor sales resume what a person paused.

    A deal is named before the handoff that it came of. A pause ends however old the CRM's state is:
    the next mail asks for its age.
    """
    by_the_crm = enrolled.paused and enrolled.paused_by_the_crm
    by_a_handoff = enrolled.paused and enrolled.paused_by_a_handoff
    if enrolled.paused and not (by_the_crm or by_a_handoff):
        return Hold("It is paused until a person resumes it")
    if crm and crm.effect == "pause":
        return Hold(crm.reason) if by_the_crm else Pause(crm.reason)
    if enrolled.with_sales:
        reason = f"With sales since {enrolled.with_sales:%-d %B %Y}"
        return Hold(reason) if by_a_handoff else Pause(reason, by_a_handoff=True)
    if by_a_handoff or (by_the_crm and crm and crm.effect == "none"):
        return Resume()
    return None


def _unknown_effect(crm: CrmSays | None) -> Hold | None:
    if crm is None:
        return Hold("The CRM has not been asked about this person yet")
    if crm.effect != "none":
        return Hold(f"The CRM's state of this person is not understood: {crm.effect}")
    return None


def stale_hold(as_of: datetime | None, at: datetime, max_age: timedelta) -> Hold | None:
    """Return why no mail at all may leave now; None when the CRM was read recently enough."""
    if as_of is None:
        return Hold("The CRM has not been read yet; mail waits until it is")
    if at - as_of > max_age:
        return Hold(
            f"The CRM was last read {spell_span(at - as_of)} ago; mail waits until it is read again"
        )
    return None
