"""The one way in which the neutral CRM state of contacts is written, and its freshness."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from leadscoring.models import CrmFreshness, CrmState
from leadscoring.signals import crm_state_changed

WRITTEN = [field.name for field in CrmState._meta.concrete_fields if field.name not in ("contact",)]
# What listeners act on; when the CRM was last read is no change.
TELLING = ("record_id", "owner_id", "effect", "reason", "deals", "opted_out")


def store_states(states: Iterable[CrmState], at: datetime) -> set[int]:
    """Store states, the last one of each contact; signal which changed and return their ids.

    Call inside a transaction: listeners change rows that belong to the same fact. `since` is
    kept while the effect stays what it was.
    """
    by_contact = {state.contact_id: state for state in states}
    before = CrmState.objects.select_for_update().in_bulk(list(by_contact))
    for contact_id, state in by_contact.items():
        known = before.get(contact_id)
        if known and known.effect == state.effect:
            state.since = known.since
    CrmState.objects.bulk_create(
        by_contact.values(),
        update_conflicts=True,
        unique_fields=["contact"],
        update_fields=WRITTEN,
        batch_size=1000,
    )
    changed = {
        contact_id
        for contact_id, state in by_contact.items()
        if _has_changed(before.get(contact_id), state)
    }
    if changed:
        crm_state_changed.send(CrmState, contact_ids=changed, at=at)
    return changed


def _has_changed(before: CrmState | None, after: CrmState) -> bool:
    return before is None or any(getattr(before, name) != getattr(after, name) for name in TELLING)


def drop_states_before(seen_at: datetime) -> None:
    """Drop states that a look at everybody of interest did not renew.

    The freshness of the pull would vouch for them when their contact becomes of interest again.
    """
    CrmState.objects.filter(seen_at__lt=seen_at).delete()


def drop_states(contact_ids: Collection[int]) -> None:
    """Drop states that are not kept up to date any more. A contact without a state gets no mail."""
    CrmState.objects.filter(pk__in=contact_ids).delete()


def drop_everything() -> None:
    """Drop all that is known of a CRM account: nobody gets mail until the next one was read."""
    CrmState.objects.all().delete()
    CrmFreshness.objects.all().delete()


def drop_unlinked_states(contact_ids: Collection[int]) -> None:
    """Drop states found by a former address of these contacts: that no record has it."""
    CrmState.objects.filter(pk__in=contact_ids, record_id="").delete()


def set_freshness(kinds: dict[str, datetime]) -> None:
    """Set up to which instants the CRM's changes are applied, by kind."""
    CrmFreshness.objects.bulk_create(
        [CrmFreshness(kind=kind, as_of=as_of) for kind, as_of in kinds.items()],
        update_conflicts=True,
        unique_fields=["kind"],
        update_fields=["as_of"],
    )


def advance_freshness(kinds: Mapping[str, datetime]) -> None:
    """Set the freshness of the kinds for which it is later than the stored one."""
    known = dict(CrmFreshness.objects.values_list("kind", "as_of"))
    set_freshness(
        {kind: as_of for kind, as_of in kinds.items() if kind not in known or as_of > known[kind]}
    )


def last_seen_at(contact_ids: Collection[int]) -> dict[int, datetime]:
    """Return when the CRM was last read for each contact; those never read are left out."""
    return dict(CrmState.objects.filter(pk__in=contact_ids).values_list("pk", "seen_at"))
