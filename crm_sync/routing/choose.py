"""The choice of a lead's owner: of the rules in order, the first that finds an available rep decides."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crm_sync.models import Owner, RoutingRule, RulePlace
from crm_sync.routing.availability import leads_on_day, local_day, unavailable_reason
from crm_sync.routing.round_robin import RotationPlace, Turn, count_turn, next_in_rotation
from crm_sync.routing.territories import ModelFileError, territory_matcher
from leadscoring.engine.facts import Facts

NOBODY = (
    "No rep may take the lead: on the Reps page let an active rep take leads or make one the "
    "fallback, then press Resend. What stood in the way: {reason}."
)
LONGEST = 300  # the characters of a reason that a handoff stores
NAMED = 2  # the most reps named of a rotation in which all are unavailable

Kind = RoutingRule.Kind


@dataclass(frozen=True, slots=True)
class Lead:
    """The facts that rules use. `owner_id`, `company_owner_id`: in the CRM; "" when there is none.

    `untold`: why the company's owner is unknown, as a sentence without its full stop; "" otherwise.
    """

    owner_id: str = ""
    company_owner_id: str = ""
    untold: str = ""
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnerChoice:
    """A lead's owner and the reason; without an owner, why there is none. `turn`: the rotation used."""

    owner: Owner | None
    reason: str = ""
    turn: Turn = ()


PASSED = OwnerChoice(None)


class RoutingTable:
    """The current rules and reps. `choose` changes nothing; `give` advances the rotation in memory."""

    def __init__(
        self, rules: Iterable[RoutingRule], owners: Iterable[Owner], account_zone: str
    ) -> None:
        self.rules = list(rules)
        self.owners = {owner.owner_id: owner for owner in owners}
        self.by_pk = {owner.pk: owner for owner in self.owners.values()}
        self.zone = account_zone
        self.given = 0
        self.moved: set[Owner | RulePlace] = set()

    def keeps(self, owner_id: str, at: datetime) -> bool:
        """Return whether the owner assigned at an earlier attempt may keep the lead."""
        owner = self.owners.get(owner_id)
        return owner is not None and not unavailable_reason(owner, at, self.zone, bounded=False)

    def choose(self, lead: Lead, at: datetime) -> OwnerChoice:
        """Choose a lead's owner. The reason also says why earlier rules found none."""
        passed: list[str] = []
        for rule in self.rules:
            choice = FINDERS[Kind(rule.kind)](self, rule, lead, at)
            if choice.owner:
                return OwnerChoice(choice.owner, choice_reason(passed, choice.reason), choice.turn)
            passed += [choice.reason] if choice.reason else []
        last = self.by_fallback(at)
        return OwnerChoice(last.owner, choice_reason(passed, last.reason))

    def by_contact_owner(self, rule: RoutingRule, lead: Lead, at: datetime) -> OwnerChoice:
        return self.by_ownership(lead.owner_id, "owns the contact", at)

    def by_company_owner(self, rule: RoutingRule, lead: Lead, at: datetime) -> OwnerChoice:
        if lead.untold:
            return OwnerChoice(None, lead.untold)
        return self.by_ownership(lead.company_owner_id, "owns the contact's company", at)

    def by_ownership(self, owner_id: str, owns: str, at: datetime) -> OwnerChoice:
        owner = self.owners.get(owner_id)
        if owner is None:
            return OwnerChoice(None, f"somebody unknown here {owns}") if owner_id else PASSED
        if hindered := unavailable_reason(owner, at, self.zone):
            return OwnerChoice(None, f"{short_name_of(owner)} {owns} but {hindered}")
        return OwnerChoice(owner, f"{owns} in the CRM")

    def by_territory(self, rule: RoutingRule, lead: Lead, at: datetime) -> OwnerChoice:
        label = f"territory {rule.name}"
        try:
            ours = territory_matcher(rule.condition)(lead.facts)
        except ModelFileError as error:
            return OwnerChoice(None, f"{label} says in {error} which leads it is for")
        return self.in_turn(rule, label, at) if ours else PASSED

    def by_turn(self, rule: RoutingRule, lead: Lead, at: datetime) -> OwnerChoice:
        return self.in_turn(rule, rule.name, at)

    def in_turn(self, rule: RoutingRule, label: str, at: datetime) -> OwnerChoice:
        places = self.places(rule)
        turn = self.present(places, at)
        if not turn:
            return OwnerChoice(None, f"{label}: {self.all_hindered(places, at)}")
        return OwnerChoice(next_in_rotation(turn).owner, f"{label}: next in turn", turn)

    def places(self, rule: RoutingRule) -> list[RotationPlace]:
        """Return the places of the reps that the rule names, else the common rotation."""
        named = [
            RotationPlace(owner, place.weight or owner.weight, place)
            for place in rule.named
            if (owner := self.by_pk.get(place.owner_id))
        ]
        return named or self.common()

    def common(self) -> list[RotationPlace]:
        takers = [owner for owner in self.owners.values() if owner.active and owner.takes_leads]
        return [RotationPlace(owner, owner.weight, owner) for owner in takers]

    def present(self, places: Iterable[RotationPlace], at: datetime) -> list[RotationPlace]:
        return [place for place in places if not unavailable_reason(place.owner, at, self.zone)]

    def all_hindered(self, places: Sequence[RotationPlace], at: datetime) -> str:
        told = [
            f"{short_name_of(one.owner)} {unavailable_reason(one.owner, at, self.zone)}"
            for one in places
        ]
        more = [f"{len(told) - NAMED} more cannot either"] if len(told) > NAMED else []
        return ", ".join(told[:NAMED] + more) or "nobody takes leads"

    def by_fallback(self, at: datetime) -> OwnerChoice:
        for owner in self.owners.values():
            if owner.is_fallback:
                hindered = unavailable_reason(owner, at, self.zone, bounded=False)
                if not hindered:
                    return OwnerChoice(owner, "is the fallback: no rule finds anybody else")
                return OwnerChoice(None, f"{short_name_of(owner)} is the fallback but {hindered}")
        return OwnerChoice(None, "nobody is the fallback")

    # --- what a choice changes, in memory

    def give(self, choice: OwnerChoice, at: datetime) -> None:
        """Count the lead: for its rep's day, and for the rotation.

        A rep that is not behind in the common rotation also pays there for a lead from another rule.
        """
        owner = choice.owner
        if owner is None:
            return
        turn: Turn = choice.turn
        if not any(place.holder is owner for place in turn):
            self.move(turn, owner)
            turn = self.present(self.common(), at) if owner.credit >= 0 else ()
        self.move(turn, owner)
        self.count(owner, at)

    def move(self, turn: Turn, taker: Owner) -> None:
        if any(place.owner is taker for place in turn):
            count_turn(turn, taker)
            self.moved.update(place.holder for place in turn)

    def count(self, owner: Owner, at: datetime) -> None:
        today = local_day(owner, at, self.zone)
        owner.leads_counted = leads_on_day(owner, today) + 1
        owner.counted_on = today
        # A microsecond apart, so that the longest-waiting rep is unambiguous within a batch too.
        self.given += 1
        owner.last_lead_at = at + timedelta(microseconds=self.given)
        self.moved.add(owner)


FINDERS: Mapping[
    RoutingRule.Kind, Callable[[RoutingTable, RoutingRule, Lead, datetime], OwnerChoice]
] = {
    Kind.CONTACT_OWNER: RoutingTable.by_contact_owner,
    Kind.COMPANY_OWNER: RoutingTable.by_company_owner,
    Kind.TERRITORY: RoutingTable.by_territory,
    Kind.TURN: RoutingTable.by_turn,
}


def short_name_of(owner: Owner) -> str:
    name = str(owner)
    return name if len(name) <= 40 else f"{name[:39]}…"


def choice_reason(passed: Sequence[str], decided: str) -> str:
    """Join the reasons of earlier rules with the deciding one; when too long, drop the latest ones."""
    told = decided
    for number in range(len(passed), -1, -1):
        told = "; ".join([*passed[:number], decided])
        if len(told) <= LONGEST:
            break
    return told[:LONGEST]
