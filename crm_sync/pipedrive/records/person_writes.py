"""Create and update people: by id, else by address, and never a second one of an address.

docs/pipedrive-facts.md#no-unique-address
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from crm_sync.pipedrive.records.address_locks import USABLE_SECONDS, AddressLocks
from crm_sync.pipedrive.records.lists import object_of, write_one_by_one
from crm_sync.pipedrive.records.person_bodies import explained, person_body
from crm_sync.pipedrive.records.person_search import PersonFinder, folded
from crm_sync.pipedrive.records.persons import PersonReader
from crm_sync.pipedrive.transport.calls import CREATE_PERSON, UPDATE_PERSON, PipedriveCall
from crm_sync.pipedrive.transport.client import Json
from crm_sync.port import (
    CrmBusy,
    CrmContact,
    CrmContactWrite,
    CrmDenied,
    CrmError,
    CrmMissing,
    CrmRejected,
    CrmSilent,
    CrmUnexplained,
)

Outcome = dict[str, CrmContact | CrmError]
Writes = Sequence[CrmContactWrite]


@dataclass(frozen=True, slots=True)
class PersonWriter:
    reader: PersonReader
    finder: PersonFinder
    locks: AddressLocks

    def save(self, writes: Writes) -> Outcome:
        """Return the contact or error of each write, by trace."""
        nameless: Outcome = {
            write.trace: CrmRejected("A contact needs an e-mail address to be created.")
            for write in writes
            if not write.record_id and "@" not in write.email
        }
        known = [write for write in writes if write.record_id]
        new = [write for write in writes if not write.record_id and "@" in write.email]
        outcome = self._update(known) if known else {}
        try:
            outcome |= self._save_by_address(new) if new else {}
        except (CrmBusy, CrmDenied) as error:
            if not outcome:
                raise
            outcome |= {write.trace: error for write in new}
        return nameless | outcome

    def _update(self, writes: Writes) -> Outcome:
        """Update by id; a person who was merged away, by the id that it has now."""
        asked = _properties(writes)
        items = self.reader.by_id([write.record_id for write in writes], asked)
        absent = [write.record_id for write in writes if write.record_id not in items]
        merged = self.finder.merged(self.reader, absent, asked)
        items |= self.reader.by_id([found.record_id for found in merged.values()], asked)

        def patch(write: CrmContactWrite) -> CrmContact:
            became = merged.get(write.record_id)
            item = items.get(became.record_id if became else write.record_id)
            if item is None:
                raise CrmMissing("Pipedrive does not show this person.")
            return self._patch(write, item)

        return write_one_by_one([(write.trace, write) for write in writes], patch)

    def _save_by_address(self, writes: Writes) -> Outcome:
        """Update whom an address belongs to, and create the others under a lock of their address.

        After a creation without an answer its lock stays: until it ends the person is looked for.
        """
        emails = list(dict.fromkeys(folded(write.email) for write in writes))
        locks = self.locks.take(emails)
        usable_until = monotonic() + USABLE_SECONDS
        try:
            there = self.finder.items(self.reader, emails, _properties(writes))
            held = [each for each in writes if folded(each.email) not in {**there, **locks}]
            elsewhere = CrmBusy("Another worker is making this person.")
            outcome: Outcome = {write.trace: elsewhere for write in held}
            return outcome | write_one_by_one(
                [(write.trace, write) for write in writes if write not in held],
                lambda write: self._save_one(write, there, locks, usable_until),
            )
        finally:
            self.locks.release(locks)

    def _save_one(
        self, write: CrmContactWrite, there: dict[str, Json], locks: dict[str, str], until: float
    ) -> CrmContact:
        email = folded(write.email)
        if email in there:
            return self._patch(write, there[email])
        properties = {"email": write.email.strip(), **write.properties}
        body = person_body(properties, self.reader.fields(), {})
        if not body.keys() & {"name", "first_name"}:
            body["name"] = write.email.strip().partition("@")[0][:255]
        try:
            there[email] = self._send(CREATE_PERSON, write, body, until=until)
        except CrmSilent as silence:
            locks.pop(email, None)
            raise CrmBusy(str(silence)) from None
        return self.reader.contact(there[email], list(write.properties))

    def _patch(self, write: CrmContactWrite, item: Json) -> CrmContact:
        properties = list(write.properties)
        body = person_body(write.properties, self.reader.fields(), item)
        if not body:
            return self.reader.contact(item, properties)
        item |= self._send(UPDATE_PERSON, write, body, str(item.get("id")))
        return self.reader.contact(item, properties)

    def _send(
        self,
        call: PipedriveCall,
        write: CrmContactWrite,
        body: Json,
        record_id: str = "",
        until: float | None = None,
    ) -> Json:
        try:
            found = object_of(self.reader.client.ask(call, body, record_id=record_id, until=until))
        except CrmUnexplained as error:
            fields = self.reader.fields()
            self.reader.memory.forget()  # a field or its choices may be others by now
            raise explained(error, write.properties, fields) from None
        if found.get("is_deleted") is True:
            raise CrmMissing("Pipedrive does not show this person any more: it was deleted.")
        return found


def _properties(writes: Writes) -> list[str]:
    return list(dict.fromkeys(name for write in writes for name in write.properties))
