"""Find people by address, although nothing there is unique and the search index lags.

A person is read from the database before a hit is believed, and who was made or changed a moment ago
is looked for in the list of the latest changes, which comes from the database.
docs/pipedrive-facts.md#search-index
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_sync.pipedrive.instants import EPOCH, instant_of, whole_seconds
from crm_sync.pipedrive.records.field_values import primary_value
from crm_sync.pipedrive.records.lists import id_text, marked_deleted, object_of, objects_of
from crm_sync.pipedrive.records.persons import PersonReader, addresses_of
from crm_sync.pipedrive.records.whole_lists import WholeLists
from crm_sync.pipedrive.transport.calls import LIST_PERSONS, READ_PERSON, SEARCH_PERSONS
from crm_sync.pipedrive.transport.client import Json
from crm_sync.port import CrmContact
from crm_sync.transport.redis_state import RedisState

# Who was made or changed within the last of these is in the list of the latest. So who was not in the
# index a shorter while ago need not be searched again. docs/pipedrive-facts.md#search-index
LATEST = timedelta(minutes=15)
ABSENT_SECONDS = 600
PAGES_PER_SEARCH = SEARCH_PERSONS.cost // LIST_PERSONS.cost
HITS = 100  # of one address


class PersonFinder:
    """Find people by address at the least cost."""

    def __init__(self, shared: RedisState) -> None:
        self._shared = shared
        self._whole = WholeLists(shared)

    def contacts(
        self, reader: PersonReader, emails: Sequence[str], properties: Sequence[str]
    ) -> dict[str, CrmContact]:
        """Return contacts by the address that was asked, in upper or lower case."""
        items = self.items(reader, emails, properties)
        return {
            email: reader.contact(items[folded(email)], properties)
            for email in emails
            if folded(email) in items
        }

    def items(
        self, reader: PersonReader, emails: Iterable[str], properties: Sequence[str]
    ) -> dict[str, Json]:
        """Return people by their address in lower case."""
        wanted = [email for email in dict.fromkeys(map(folded, emails)) if "@" in email]
        if not wanted:
            return {}
        most = PAGES_PER_SEARCH * len(wanted)
        everybody = self._whole.read("persons", reader.pages(properties), most)
        if everybody is not None:
            return _matches(everybody, wanted)
        found = _matches(self._latest(reader, properties), wanted)
        hits = [
            id_ for email in wanted if email not in found for id_ in self._search(reader, email)
        ]
        found |= _matches(reader.by_id(hits, properties).values(), wanted)
        self._note_absent([email for email in wanted if email not in found])
        return found

    def merged(
        self, reader: PersonReader, record_ids: Sequence[str], properties: Sequence[str]
    ) -> dict[str, CrmContact]:
        """Return by the id of a deleted person who has the addresses now: the one it was merged into.

        Pipedrive itself says so in webhooks alone. docs/pipedrive-facts.md#merged-records
        """
        deleted = marked_deleted(reader.client, READ_PERSON, record_ids)
        addresses = {id_: addresses_of(item) for id_, item in deleted.items()}
        asked = [email for emails in addresses.values() for email in emails]
        there = self.items(reader, asked, properties)
        return {
            id_: replace(reader.contact(there[email], properties), asked_id=id_)
            for id_, emails in addresses.items()
            for email in emails
            if email in there
        }

    def _latest(self, reader: PersonReader, properties: Sequence[str]) -> list[Json]:
        """Return whom the index may lack: those made or changed in the last minutes."""
        since = ("updated_since", whole_seconds(datetime.now(UTC) - LATEST))
        return [each for page in reader.pages(properties, [since]) for each in page]

    def _search(self, reader: PersonReader, email: str) -> Iterator[str]:
        """Yield the ids that the index has for an address: deleted ones too, and not the latest."""
        key = self._absent_key(email)
        if self._shared.ask(lambda redis: redis.get(key)):
            return
        query = [("term", email), ("fields", "email"), ("exact_match", "true")]
        found = reader.client.ask(SEARCH_PERSONS, query=[*query, ("limit", str(HITS))])
        for hit in objects_of(object_of(found), "items"):
            yield id_text(object_of(hit, "item").get("id"))

    def _note_absent(self, emails: Sequence[str]) -> None:
        def note(redis: Any) -> None:
            for email in emails:
                redis.set(self._absent_key(email), "1", ex=ABSENT_SECONDS, nx=True)

        if emails:
            self._shared.ask(note)

    def _absent_key(self, email: str) -> str:
        return self._shared.key(f"absent:{address_hash(email)}")


def address_hash(email: str) -> str:
    """Return a name for an address that does not show it."""
    return hashlib.sha256(folded(email).encode()).hexdigest()[:24]


def folded(email: str) -> str:
    return email.strip().lower()


def _matches(people: Iterable[Json], wanted: Sequence[str]) -> dict[str, Json]:
    """Return people by address: of several the one whose primary it is, then the oldest.

    Duplicates are normal there. docs/pipedrive-facts.md#no-unique-address
    """
    asked = set(wanted)
    best: dict[str, tuple[bool, datetime, int]] = {}
    found: dict[str, Json] = {}
    for item in people:
        primary = folded(primary_value(item, "emails"))
        made = instant_of(item.get("add_time")) or EPOCH
        for email in asked.intersection(addresses_of(item)):
            rank = (primary != email, made, int(id_text(item.get("id")) or 0))
            if email not in best or rank < best[email]:
                best[email], found[email] = rank, item
    return found
