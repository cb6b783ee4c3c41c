"""Random histories of a CRM: what people in sales do there, and what is true of our people at the end."""

import time
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.utils.timezone import now
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from crm_sync.account import check_account
from crm_sync.deals.stage_policy import STRICTNESS
from crm_sync.models import Deal, Link, Round, Stage
from crm_sync.pull import poll as pulling
from crm_sync.pull.fetch import people_of_interest
from leadscoring.models import Contact, CrmState, Effect
from sequences.models import Enrollment, Sequence
from tests.crm_sync.makers import a_contact
from tests.port.hubspot_side import HubSpotSide

LAG = 0.15
STAGES = [
    ("default", "appointmentscheduled"),
    ("default", "contractsent"),
    ("default", "closedwon"),
    ("default", "closedlost"),
]
OWNERS = ["712340001", "712340002", "712340003"]
DEALS = "/crm/v3/objects/deals"
any_index = st.integers(0, 1_000)


class Killed(BaseException):
    """The process is gone."""


class History(RuleBasedStateMachine):
    """`world`: the other side, the adapter, and when the next call or place is the last."""

    world: Any

    def __init__(self) -> None:
        super().__init__()
        self.there: HubSpotSide = self.world.there
        self.reset()
        self.rows = transaction.atomic()
        self.rows.__enter__()
        self.names = 0

    def reset(self) -> None:
        self.there.sandbox.state.reset()
        dials = self.there.sandbox.settings
        dials.search_rate, dials.rate, dials.search_lag = 0, 0, LAG
        self.world.fate.clear()

    # --- helpers

    @property
    def store(self) -> Any:
        return self.there.sandbox.store

    def name(self) -> str:
        self.names += 1
        return f"n{self.names}"

    def pick(self, kind: str, index: int, *, archived: bool = False) -> str:
        found = [
            one.id
            for one in self.store.records[kind].values()
            if (one.archived_at is not None) == archived
        ]
        return found[index % len(found)] if found else ""

    def pull(self, **fate: Any) -> str:
        """One turn, which may die on the way; the cause when it failed."""
        self.world.fate.update(fate)
        try:
            report = pulling.pull_changes(self.world.crm, now())
        except Killed:
            return "killed"
        finally:
            self.world.fate.clear()
            self.there.sandbox.state.faults.clear()
        return report.error if report else "another"

    # --- people of ours

    @initialize()
    def begin(self) -> None:
        for what in ["linked"] * 5 + ["in a sequence"]:
            self.somebody_new(what)
        self.an_import(STAGES[1], 0)
        self.there.add_deal(self.name(), STAGES[0], self.pick("contacts", 1))
        time.sleep(LAG)
        assert self.pull() == ""
        assert self.pull() == ""

    @rule(what=st.sampled_from(["linked", "in a sequence", "in a sequence and there"]))
    def somebody_new(self, what: str) -> None:
        contact = a_contact(f"{self.name()}@lead.example")
        record_id = "" if what == "in a sequence" else self.there.add_contact(contact.email)
        at, account_id = now(), check_account(self.world.crm, now()).account_id
        if what == "linked":
            Link.objects.create(
                contact=contact, account_id=account_id, record_id=record_id, seen_at=at
            )
        else:
            sequence, _ = Sequence.objects.get_or_create(name="nurture")
            times = {"entered_at": at, "changed_at": at, "next_at": at}
            Enrollment.objects.create(contact=contact, sequence=sequence, by="test", **times)

    @rule(index=any_index)
    def somebody_in_a_sequence_is_found_by_sales(self, index: int) -> None:
        enrolled = Contact.objects.filter(enrollments__isnull=False).order_by("pk")
        free = [one for one in enrolled if not self.store.by_unique("contacts", "email", one.email)]
        if free:
            self.there.add_contact(free[index % len(free)].email)

    # --- what sales does

    @rule(stage=st.sampled_from(STAGES), first=any_index, second=st.none() | any_index)
    def a_deal(self, stage: Any, first: int, second: int | None) -> None:
        on = {self.pick("contacts", index) for index in (first, second) if index is not None}
        self.there.add_deal(self.name(), stage, *(on - {""}))

    @rule(stage=st.sampled_from(STAGES), index=any_index)
    def an_import(self, stage: Any, index: int) -> None:
        """Deals of one time, more than a page."""
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}
        on = self.pick("contacts", index)
        links = [{"to": {"id": on}, "types": [spec]}] if on else []
        facts: dict[Any, Any] = {"pipeline": stage[0], "dealstage": stage[1]}
        deals = [
            {"properties": {"dealname": self.name(), **facts}, "associations": links}
            for _ in range(5)
        ]
        self.there.ask("POST", f"{DEALS}/batch/create", {"inputs": deals})

    @rule(kind=st.sampled_from(["contacts", "deals"]), owner=st.sampled_from(OWNERS))
    def all_change_at_one_time(self, kind: str, owner: str) -> None:
        said = {"hubspot_owner_id": owner}
        every = [{"id": record.id, "properties": said} for record in self.store.live(kind)]
        if every:
            path = f"/crm/v3/objects/{kind}/batch/update"
            self.there.ask("POST", path, {"inputs": every[:100]})

    @rule(stage=st.sampled_from(STAGES), owner=st.sampled_from(OWNERS), index=any_index)
    def a_deal_moves(self, stage: Any, owner: str, index: int) -> None:
        if deal_id := self.pick("deals", index):
            said = {"dealstage": stage[1], "hubspot_owner_id": owner}
            self.there.ask("PATCH", f"{DEALS}/{deal_id}", {"properties": said})

    @rule(index=any_index, owner=st.sampled_from(OWNERS), readdressed=st.booleans())
    def a_contact_changes(self, index: int, owner: str, readdressed: bool) -> None:
        if record_id := self.pick("contacts", index):
            said = {"hubspot_owner_id": owner}
            said |= {"email": f"{self.name()}@moved.example"} if readdressed else {}
            self.there.set(record_id, **said)

    @rule(deal=any_index, contact=any_index)
    def an_association_is_made(self, deal: int, contact: int) -> None:
        deal_id, record_id = self.pick("deals", deal), self.pick("contacts", contact)
        if deal_id and record_id:
            path = f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{record_id}"
            self.there.ask("PUT", path)

    @rule(contact=any_index, deal=any_index)
    def an_association_is_removed(self, contact: int, deal: int) -> None:
        record_id = self.pick("contacts", contact)
        deals = [one for one in self.store.live("deals")
                 if record_id in self.store.links.to(("deals", one.id), "contacts")]  # fmt: skip
        if deals:
            deal_id = deals[deal % len(deals)].id
            self.there.ask(
                "DELETE", f"/crm/v4/objects/deals/{deal_id}/associations/contacts/{record_id}"
            )

    @rule(kind=st.sampled_from(["contacts", "deals"]), one=any_index, other=any_index)
    def a_merge(self, kind: str, one: int, other: int) -> None:
        kept, gone = self.pick(kind, one), self.pick(kind, other)
        if kept != gone:
            both = {"primaryObjectId": kept, "objectIdToMerge": gone}
            self.there.ask("POST", f"/crm/v3/objects/{kind}/merge", both)

    @rule(kind=st.sampled_from(["contacts", "deals"]), index=any_index)
    def an_archive(self, kind: str, index: int) -> None:
        if record_id := self.pick(kind, index):
            self.there.ask("DELETE", f"/crm/v3/objects/{kind}/{record_id}")

    @rule(kind=st.sampled_from(["contacts", "deals"]), index=any_index)
    def a_restore(self, kind: str, index: int) -> None:
        if record_id := self.pick(kind, index, archived=True):
            record = self.store.records[kind][record_id]
            held = self.store.by_unique(kind, "email", record.properties.get("email", ""))
            if held is None:
                self.store.restore(record, now())

    # --- what happens to the pull

    @rule(lag=st.sampled_from([0.0, LAG]), wait=st.booleans())
    def the_index_is_quick_or_slow(self, lag: float, wait: bool) -> None:
        """What is changed now shows later than what was changed before, or than what comes after."""
        self.there.sandbox.settings.search_lag = lag
        time.sleep(LAG / 2 if wait else 0)

    @rule(first=any_index, second=any_index, owner=st.sampled_from(OWNERS))
    def the_index_falls_behind(self, first: int, second: int, owner: str) -> None:
        """A pull is as far as the CRM's clock, and then a change shows only after the next pull."""
        self.the_index_is_quick_or_slow(0.0, wait=False)
        self.a_contact_changes(first, owner, readdressed=False)
        self.a_pull()
        self.the_index_is_quick_or_slow(LAG, wait=False)
        self.a_contact_changes(second, owner, readdressed=False)
        time.sleep(LAG / 2)
        self.a_pull()

    @rule()
    def a_pull(self) -> None:
        assert self.pull() == ""

    @rule(
        fate=st.integers(0, 12) | st.sampled_from(["pull.looked", "pull.applied", "pull.recorded"])
    )
    def a_pull_that_dies(self, fate: int | str) -> None:
        """After so many calls, or at a place."""
        self.pull(**({"calls": fate} if isinstance(fate, int) else {"place": fate}))

    @rule(kind=st.sampled_from(["slow down", "status", "drop_after", "drop_before", "garbage"]),
          share=st.floats(0, 1))  # fmt: skip
    def a_pull_in_trouble(self, kind: str, share: float) -> None:
        if kind == "slow down":
            body = {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
            self.there.trouble("status", status=429, body=body, share=share)
        else:
            self.there.trouble(kind, status=503, share=share)
        self.pull()
        self.there.ask("DELETE", "/sandbox/faults")  # one that did not strike
        self.world.forget_pace()

    # --- the end

    def teardown(self) -> None:
        try:
            time.sleep(LAG * 1.2)
            due = {"whole_since": None, "whole_until": None}
            Round.objects.filter(pk=Round.Kind.ASSOCIATIONS).update(**due)
            assert self.pull() == ""
            compare(self.store, but_deleted=True)
            assert pulling.pull_changes(self.world.crm, now(), full=True).error == ""
            compare(self.store, but_deleted=False)
        finally:
            transaction.set_rollback(True)
            self.rows.__exit__(None, None, None)


def compare(store: Any, *, but_deleted: bool) -> None:
    """What is known here of everybody of interest against what the CRM has.

    `but_deleted`: leave out those whose record was deleted, which only reading it shows.
    """
    for contact in people_of_interest().select_related("link").order_by("pk"):
        state = CrmState.objects.get(pk=contact)
        link = getattr(contact, "link", None)
        record = store.find("contacts", link.record_id if link else state.record_id)
        if but_deleted and record and record.archived_at:
            continue
        assert here(state) == expected(store, contact, link)


def here(state: CrmState) -> SimpleNamespace:
    deals = {
        deal.deal_id: (deal.name, deal.pipeline_id, deal.stage_id, deal.owner_id)
        for deal in Deal.objects.filter(contacts=state.contact_id)
    }
    assert {deal["id"] for deal in state.deals} == deals.keys()
    return SimpleNamespace(
        record=state.record_id, owner=state.owner_id, deals=deals, effect=state.effect
    )


def expected(store: Any, contact: Contact, link: Link | None) -> SimpleNamespace:
    record = store.alive("contacts", link.record_id) if link else None
    record = record or store.by_unique("contacts", "email", contact.email or "")
    if record is None:
        return SimpleNamespace(record="", owner="", deals={}, effect="pause" if link else "none")
    deals = {
        deal_id: tuple(
            store.records["deals"][deal_id].properties.get(name, "")
            for name in ("dealname", "pipeline", "dealstage", "hubspot_owner_id")
        )
        for deal_id in store.linked(record, "deals")
    }
    stages = {(row.pipeline_id, row.stage_id): row.effect for row in Stage.objects.all()}
    effects = [Effect(stages[pipeline, stage]) for _, pipeline, stage, _ in deals.values()]
    return SimpleNamespace(
        record=record.id,
        owner=record.properties.get("hubspot_owner_id", ""),
        deals=deals,
        effect=max(effects, key=STRICTNESS.index, default=Effect.NONE).value,
    )
