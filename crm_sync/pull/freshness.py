"""Up to which instant all changes in the CRM are applied here: one for each kind, the oldest counts.

An instant may be stated only when it is true of everybody, so there is none before the first full
round. From then on:

* **deals, contacts**: a complete search that began at t has returned all changes up to t less the
  lag of its index (see `Cursor.lag`); or everybody was read by id since t, if that is later.
* **associations**: everybody's were read since t.

See docs/freshness.md for what this leaves out and how it is covered.
"""

from collections.abc import Mapping
from datetime import datetime

from crm_sync.models import Round
from leadscoring import crm_state
from leadscoring.models import CrmFreshness


def search_freshness(searched: Mapping[str, datetime]) -> None:
    """Advance the instants. `searched`: by kind, up to when all changes are applied; absent if unknown."""
    if full_round_started_at() is not None:
        crm_state.advance_freshness(searched)


def sweep_freshness() -> None:
    everybody = full_round_started_at()
    if everybody is None:
        return
    associations = Round.of(Round.Kind.ASSOCIATIONS).whole_since
    crm_state.advance_freshness(
        dict.fromkeys(CrmFreshness.Kind.values, everybody)
        | {CrmFreshness.Kind.ASSOCIATIONS: max(everybody, associations or everybody)}
    )


def full_round_started_at() -> datetime | None:
    """Return when the last complete round through everybody began."""
    rounds = Round.objects.filter(pk=Round.Kind.RECORDS)
    return rounds.values_list("whole_since", flat=True).first()
