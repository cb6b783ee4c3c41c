"""Read the deals of people, as their main person or as one more participant, and the people of deals.

No list tells the deals in which somebody takes part: people tell how many there are, and the deals tell
who takes part in them. docs/pipedrive-facts.md#participants-of-deals
"""

from collections.abc import Iterable, Mapping, Sequence

from crm_sync.pipedrive.instants import instant_of
from crm_sync.pipedrive.records.lists import (
    id_text,
    next_start,
    objects_of,
    pages_of,
    records_by_id,
    text_at,
)
from crm_sync.pipedrive.records.whole_lists import WholeLists
from crm_sync.pipedrive.transport.calls import (
    DEAL_PARTICIPANTS,
    LIST_ARCHIVED_DEALS,
    LIST_DEALS,
    LIST_PERSONS,
    PipedriveCall,
)
from crm_sync.pipedrive.transport.client import Json, PipedriveClient
from crm_sync.port import CrmDeal
from crm_sync.transport.redis_state import RedisState

WON, LOST = "won", "lost"
OWN_COUNTS = ("open_deals_count", "closed_deals_count")
OPEN_TAKING_PART = "participant_open_deals_count"
TAKING_PART_COUNTS = (OPEN_TAKING_PART, "participant_closed_deals_count")
COUNTS = ("include_fields", ",".join((*OWN_COUNTS, *TAKING_PART_COUNTS)))
PARTICIPANTS = ("include_fields", "participants_count")
# Of deals that are asked for the sake of one question: with more of them it is not answered in full.
MOST_ASKED = 100
# Seconds for which an account without archived deals counts as one.
NONE_ARCHIVED_SECONDS = 900
UNSEEN = "unseen"


class DealReader:
    """Read deals at the least cost."""

    def __init__(self, shared: RedisState) -> None:
        self._shared = shared
        self._whole = WholeLists(shared)

    def of_persons(
        self, client: PipedriveClient, record_ids: Sequence[str]
    ) -> dict[str, list[CrmDeal]]:
        """Return deals by the person's id, archived ones too."""
        found: dict[str, dict[str, Json]] = {id_: {} for id_ in record_ids}
        counts = {
            id_text(each.get("id")): each
            for each in records_by_id(client, LIST_PERSONS, record_ids, [COUNTS])
        }
        asked = [id_ for id_ in found if _has_any(counts.get(id_), OWN_COUNTS + TAKING_PART_COUNTS)]
        if asked:
            self._add(found, self._listed(client, LIST_DEALS, "deals", asked))
            if self._has_archived(client):
                archived = self._listed(client, LIST_ARCHIVED_DEALS, "archived-deals", asked)
                self._add(found, archived)
            self._add_taking_part(client, found, {id_: counts[id_] for id_ in asked})
        deals = {id_: [_deal(item) for item in items.values()] for id_, items in found.items()}
        for id_ in asked:
            if _lacking(found[id_], id_, counts[id_], [OPEN_TAKING_PART], open_only=True):
                deals[id_].append(unseen_deal(id_))
        return deals

    def people(self, client: PipedriveClient, deal_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the people of each deal, the main person first."""
        found: dict[str, list[str]] = {id_: [] for id_ in deal_ids}
        items = list(records_by_id(client, LIST_DEALS, deal_ids, [PARTICIPANTS]))
        left = found.keys() - {id_text(each.get("id")) for each in items}
        if left and self._has_archived(client):
            items += records_by_id(client, LIST_ARCHIVED_DEALS, left, [PARTICIPANTS])
        for item in items:
            found[id_text(item.get("id"))] = _people(client, item)
        return found

    def _listed(
        self, client: PipedriveClient, call: PipedriveCall, name: str, asked: Sequence[str]
    ) -> list[tuple[str, Json]]:
        """Return deals with the person that they were listed for: all deals, when that costs less."""
        everything = self._whole.read(name, pages_of(client, call), len(asked))
        if everything is not None:
            return [(id_text(each.get("person_id")), each) for each in everything]
        return [
            (id_, each)
            for id_ in asked
            for page in pages_of(client, call, [("person_id", id_)])
            for each in page
        ]

    def _add(
        self, found: Mapping[str, dict[str, Json]], listed: Iterable[tuple[str, Json]]
    ) -> None:
        for person_id, item in listed:
            if person_id in found:
                found[person_id][id_text(item.get("id"))] = item

    def _add_taking_part(
        self,
        client: PipedriveClient,
        found: Mapping[str, dict[str, Json]],
        counts: Mapping[str, Json],
    ) -> None:
        """Add the deals in which people take part, as far as their counts speak of more than are known."""

        def wanting() -> list[str]:
            return [
                id_
                for id_, item in counts.items()
                if _lacking(found[id_], id_, item, TAKING_PART_COUNTS)
            ]

        if not wanting():
            return
        for item in self._shared_deals(client):
            self._add(found, [(person, item) for person in _people(client, item)])
            if not wanting():
                return

    def _shared_deals(self, client: PipedriveClient) -> list[Json]:
        """Return the deals that may have several people, those with most first."""
        calls = [LIST_DEALS, *([LIST_ARCHIVED_DEALS] if self._has_archived(client) else [])]
        listed = [
            each
            for call in calls
            for page in pages_of(client, call, [PARTICIPANTS])
            for each in page
            if _whole(each.get("participants_count"))
        ]
        listed.sort(key=lambda each: -_whole(each.get("participants_count")))
        return listed[:MOST_ASKED]

    def _has_archived(self, client: PipedriveClient) -> bool:
        """Return whether the account has archived any deal: it is asked once in a while.

        docs/pipedrive-facts.md#archived-deals
        """
        key = self._shared.key("none-archived")
        if self._shared.ask(lambda redis: redis.get(key)):
            return False
        found = objects_of(client.ask(LIST_ARCHIVED_DEALS, query=[("limit", "1")]))
        if not found:
            self._shared.ask(lambda redis: redis.set(key, "1", ex=NONE_ARCHIVED_SECONDS))
        return bool(found)


def _people(client: PipedriveClient, item: Json) -> list[str]:
    """Return the people of a deal. Whether the count includes the main person is not documented."""
    main = id_text(item.get("person_id"))
    people = [main] if main else []
    if item.get("participants_count") == 0:
        return people
    start = ""
    while True:
        query = [("limit", "100"), *([("start", start)] if start else [])]
        found = client.ask(DEAL_PARTICIPANTS, record_id=id_text(item.get("id")), query=query)
        people += [id_text(each.get("person_id")) for each in objects_of(found)]
        before, start = start, next_start(found)
        if start in ("", before):
            return [id_ for id_ in dict.fromkeys(people) if id_]


def _has_any(item: Json | None, names: Iterable[str]) -> bool:
    """Return whether a person counts any deal. One whose counts are left out may have some."""
    return item is not None and any(item.get(name) != 0 for name in names)


def _lacking(
    known: Mapping[str, Json],
    person_id: str,
    counts: Json,
    names: Iterable[str],
    *,
    open_only: bool = False,
) -> bool:
    """Return whether a person takes part in more deals than are known."""
    others = [
        item
        for item in known.values()
        if id_text(item.get("person_id")) != person_id
        and (not open_only or item.get("status") not in (WON, LOST))
    ]
    return sum(_whole(counts.get(name)) for name in names) > len(others)


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _deal(item: Json) -> CrmDeal:
    """Return a deal. Won and lost are a status there: it keeps the stage that it was in.

    docs/pipedrive-facts.md#won-and-lost
    """
    status = text_at(item, "status")
    closed = status in (WON, LOST)
    return CrmDeal(
        deal_id=id_text(item.get("id")),
        name=text_at(item, "title"),
        pipeline_id=id_text(item.get("pipeline_id")),
        stage_id=status if closed else id_text(item.get("stage_id")),
        owner_id=id_text(item.get("owner_id")),
        amount=text_at(item, "value"),
        closed=closed,
        won=status == WON,
        changed_at=instant_of(item.get("update_time")),
        made_at=instant_of(item.get("add_time")),
        lost_reason=text_at(item, "lost_reason"),
    )


def unseen_deal(person_id: str) -> CrmDeal:
    """Return what stands for an open deal that the person takes part in and that nobody shows us.

    Its stage is none of the account's, so it holds mail like any that is not known.
    """
    return CrmDeal(
        deal_id=f"{UNSEEN}-{person_id}",
        name="A deal that the token's user does not see",
        pipeline_id="",
        stage_id=UNSEEN,
        owner_id="",
        amount="",
        closed=False,
        won=False,
    )
