"""Each thing that keeps the pull whole, broken on purpose: the random histories must find it out."""

from dataclasses import replace
from datetime import timedelta
from itertools import islice

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.records import search
from crm_sync.models import Cursor
from crm_sync.pull import cursors, sweep

tied, by_id, changes, take = (
    search._of_one_instant, HubSpot.contacts_by_id, HubSpot.changes, cursors.apply_changes
)  # fmt: skip


def no_overlap(patch):
    """A search begins where the last one ended: what came late into the index is skipped."""
    patch.setattr(Cursor, "overlap", lambda cursor, usual, at: timedelta(0))


def no_tie_break(patch):
    """Of records with one time only the first page."""
    patch.setattr(search, "_of_one_instant", lambda *args: islice(tied(*args), 1))


def no_association_sweep(patch):
    patch.setattr(sweep, "sweep_associations", lambda visit: None)


def no_merge_following(patch):
    """Who was merged into another record is taken for gone."""

    def dead_ends(crm, record_ids, properties):
        found = by_id(crm, record_ids, properties)
        return {asked: one for asked, one in found.items() if one.record_id == asked}

    def without_former(crm, kind, since):
        for part in changes(crm, kind, since):
            yield [replace(change, former_ids=()) for change in part]

    patch.setattr(HubSpot, "contacts_by_id", dead_ends)
    patch.setattr(HubSpot, "changes", without_former)


def cursor_before_apply(patch):
    """What is covered is written down first: a pull that dies in between skips it."""

    def hasty(visit, found):
        fresh = [cursors.unapplied_changes(search_.cursor.kind, group) for search_, group in found]
        for (search_, group), changes_ in zip(found, fresh, strict=True):
            cursors.move_past(search_, group, changes_, visit.now())
        with patch.context() as known:  # as if it were asked before it was written down
            known.setattr(cursors, "unapplied_changes", lambda kind, group: fresh.pop(0))
            take(visit, found)

    patch.setattr(cursors, "apply_changes", hasty)


BREAKS = (no_overlap, no_tie_break, no_association_sweep, no_merge_following, cursor_before_apply)
