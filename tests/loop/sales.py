"""What people in sales do in the CRM in a simulated week, and what is true there of everybody after each.

Nothing of the product is used. Whether mail is forbidden is read from the stand-in's own records by
the table below, which says in words of ours what a marketer has set for each stage.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from tests.port.hubspot_side import CONTACTS, DEALS, HubSpotSide

# What each stage does to mail; an early one does nothing.
STAGES = {
    ("default", "appointmentscheduled"): "none",
    ("default", "qualifiedtobuy"): "none",
    ("default", "presentationscheduled"): "pause",
    ("default", "decisionmakerboughtin"): "pause",
    ("default", "contractsent"): "pause",
    ("default", "closedwon"): "stop",
    ("default", "closedlost"): "stop",
    ("74830011", "148830201"): "none",
    ("74830011", "148830202"): "none",
    ("74830011", "148830203"): "pause",
    ("74830011", "148830205"): "stop",
    ("74830011", "148830206"): "pause",
}
OWNERS = ["712340001", "712340002", "712340003"]


@dataclass(slots=True)
class Sales:
    """`record_of`: the record that somebody's address had when it was made there, by address.

    `seen`: addresses that the product has asked for. `said`: by address, what the CRM says from an instant on: why no mail may go, or "".
    """

    there: HubSpotSide
    now: Callable[[], datetime]
    random: Random
    addresses: list[str]
    record_of: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    said: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    @property
    def store(self) -> Any:
        return self.there.sandbox.store

    def begin(self) -> None:
        """Two of three are known there, and some of them have deals."""
        for address in self.addresses[: len(self.addresses) * 2 // 3]:
            self.record_of[address] = self.there.add_contact(address)
        for _ in range(len(self.addresses) // 6):
            self.open_a_deal()
        self.write_down(self.now())

    def do_something(self) -> None:
        acts: dict[Callable[[], object], int] = {
            self.open_a_deal: 4, self.move_a_deal: 12, self.delete_a_deal: 1, self.restore_a_deal: 1,
            self.tie: 3, self.untie: 3, self.archive: 1, self.restore: 1, self.merge: 1,
            self.merge_deals: 1, self.opt_out: 1, self.opt_in: 1, self.change_owner: 3, self.know: 1,
        }  # fmt: skip
        self.meet()
        act = self.random.choices(list(acts), list(acts.values()))[0]
        if act() is not False:
            self.done[act.__name__] = self.done.get(act.__name__, 0) + 1
        self.write_down(self.now())

    # --- what they do; False when there is nothing to do it to

    def open_a_deal(self) -> Any:
        """Often in an early stage; now and then about two people, or none."""
        some = {self.a("contacts") for _ in range(self.random.choice([0, 1, 1, 1, 2]))} - {""}
        return self.there.add_deal("deal", self.random.choice(list(STAGES)), *sorted(some))

    def move_a_deal(self) -> Any:
        """To any stage of any pipeline: on, back, won, lost, reopened."""
        pipeline, stage = self.random.choice(list(STAGES))
        return self.change(DEALS, self.a("deals"), {"pipeline": pipeline, "dealstage": stage})

    def delete_a_deal(self) -> Any:
        deal = self.a("deals")
        return self.there.ask("DELETE", f"{DEALS}/{deal}") if deal else False

    def restore_a_deal(self) -> Any:
        return self.bring_back("deals")

    def tie(self) -> Any:
        """To a deal that may be old: changes the time of neither."""
        deal, contact = self.a("deals"), self.a("contacts")
        return bool(deal and contact) and self.there.ask("PUT", tied(deal, "default/", contact))

    def untie(self) -> Any:
        deal = self.a("deals")
        record = self.store.records["deals"].get(deal)
        some = sorted(self.store.linked(record, "contacts")) if record else []
        return bool(some) and self.there.ask("DELETE", tied(deal, "", self.random.choice(some)))

    def archive(self) -> Any:
        """Somebody whom the product has seen there: to it, a record that went before was never there."""
        seen = [self.record_of[one] for one in sorted(self.seen & self.record_of.keys())]
        live = [one for one in seen if self.store.alive("contacts", one, follow=False)]
        if live:
            self.there.archive(self.random.choice(live))
        return bool(live)

    def restore(self) -> Any:
        return self.bring_back("contacts")

    def merge(self) -> Any:
        return self.make_one(CONTACTS, self.a("contacts"), self.a("contacts"))

    def merge_deals(self) -> Any:
        return self.make_one(DEALS, self.a("deals"), self.a("deals"))

    def opt_out(self) -> Any:
        return self.change(CONTACTS, self.a("contacts"), {"hs_email_optout": "true"})

    def opt_in(self) -> Any:
        return self.change(CONTACTS, self.a("contacts"), {"hs_email_optout": "false"})

    def change_owner(self) -> Any:
        path, kind = self.random.choice([(CONTACTS, "contacts"), (DEALS, "deals")])
        return self.change(path, self.a(kind), {"hubspot_owner_id": self.random.choice(OWNERS)})

    def know(self) -> Any:
        """Sales find somebody by themselves, and have a deal with them at once."""
        free = [one for one in self.addresses if one not in self.record_of]
        if not free:
            return False
        address = self.random.choice(free)
        self.record_of[address] = self.there.add_contact(address)
        return self.there.add_deal(
            "deal", self.random.choice(list(STAGES)), self.record_of[address]
        )

    # --- how they do it

    def a(self, kind: str, *, archived: bool = False) -> str:
        every = self.store.records[kind].values()
        found = [one.id for one in every if (one.archived_at is not None) == archived]
        return self.random.choice(found) if found else ""

    def change(self, path: str, record_id: str, properties: dict[str, str]) -> Any:
        body = {"properties": properties}
        return bool(record_id) and self.there.ask("PATCH", f"{path}/{record_id}", body)

    def make_one(self, path: str, kept: str, gone: str) -> Any:
        both = {"primaryObjectId": kept, "objectIdToMerge": gone}
        return (
            bool(kept and gone) and kept != gone and self.there.ask("POST", f"{path}/merge", both)
        )

    def bring_back(self, kind: str) -> Any:
        """In HubSpot's own pages; there is no call for it. Not whose address is another's meanwhile."""
        record = self.store.records[kind].get(self.a(kind, archived=True))
        if record is None or self.store.by_unique(
            kind, "email", record.properties.get("email", "")
        ):
            return False
        with self.there.sandbox.state.lock:
            self.store.restore(record, self.now())
        return True

    # --- what is true of it

    def write_down(self, at: datetime) -> None:
        """Who may not be written to since now, and why; who may again."""
        self.meet()
        for address in self.addresses:
            told, because = self.said.setdefault(address, []), self.forbids(address)
            if not told or told[-1][1] != because:
                told.append((at, because))

    def forbids(self, address: str) -> str:
        """Why the CRM forbids mail to an address now; "" when it does not."""
        if address not in self.record_of:
            return ""
        record = self.store.find("contacts", self.record_of[address])
        if record.archived_at:
            return "is deleted"
        if record.properties.get("hs_email_optout") == "true":
            return "opted out"
        return " and ".join(sorted(self.deals_that_forbid(record)))

    def meet(self) -> None:
        """Records that sales did not make: a handoff did. From then on it is the record that counts."""
        for address in self.addresses:
            if address not in self.record_of:
                record = self.store.by_unique("contacts", "email", address)
                if record:
                    self.record_of[address] = record.id

    def deals_that_forbid(self, record: Any) -> set[str]:
        deals = (
            self.store.records["deals"][one].properties
            for one in self.store.linked(record, "deals")
        )
        effects = {STAGES[deal["pipeline"], deal["dealstage"]] for deal in deals}
        return {f"has a deal that means {effect}" for effect in effects - {"none"}}


def tied(deal: str, how: str, contact: str) -> str:
    return f"/crm/v4/objects/deals/{deal}/associations/{how}contacts/{contact}"
