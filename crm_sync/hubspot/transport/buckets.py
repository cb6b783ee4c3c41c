"""HubSpot's limits of the rate of requests."""

from collections.abc import Mapping

from crm_sync.hubspot.transport.calls import Limit
from crm_sync.transport.rate_limit_script import NO_LIMIT, Bucket

BURST = Bucket("burst", 10, NO_LIMIT)
# Associations have a limit of their own (100, or 150 in larger accounts). Whether they count
# against the ordinary one differs by endpoint, so they do here. Searches have a limit of their own
# and count against no other.
# docs/hubspot-facts.md#request-limits, docs/hubspot-facts.md#search-limits
BUCKETS: Mapping[Limit, tuple[Bucket, ...]] = {
    "burst": (BURST,),
    "associations": (Bucket("associations", 10, 150), BURST),
    "search": (Bucket("search", 1, 5),),
}
COUNTED_SECONDS = 10
