"""What an error report to Sentry may say: where this program failed, and nothing of the people it serves.

A request's path, query, body and headers hold addresses and tokens; so do the texts of exceptions
and log messages, the values of variables and what went before (breadcrumbs).
"""

from collections.abc import Mapping
from typing import Any

# Parts of an event that are left out as a whole.
PERSONAL = ("breadcrumbs", "user", "extra", "server_name", "tags")


def without_people(event: dict[str, Any], hint: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the event as it may leave: types and places of exceptions, the route, the versions."""
    kept = {name: value for name, value in event.items() if name not in PERSONAL}
    if "request" in kept:
        kept["request"] = {"method": kept["request"].get("method", "")}
    if "logentry" in kept:  # its template, without what was put into it
        kept["logentry"] = {"message": kept["logentry"].get("message", "")}
    if "contexts" in kept:
        kept["contexts"] = {
            name: value for name, value in kept["contexts"].items() if name in ("runtime", "trace")
        }
    for thrown in kept.get("exception", {}).get("values", []):
        thrown["value"] = ""
        for frame in (thrown.get("stacktrace") or {}).get("frames", []):
            frame.pop("vars", None)
    return kept


OPTIONS: Mapping[str, Any] = {
    "include_local_variables": False,
    "max_request_body_size": "never",
    "max_breadcrumbs": 0,
    "before_send": without_people,
}
