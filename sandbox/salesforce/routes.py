"""Which endpoint answers which path below `/services/data/v67.0`."""

from collections.abc import Callable

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from .call import Answer, Call
from .refusals import Refusal, not_found
from .rest import (
    collections,
    composite,
    custom_fields,
    describing,
    limits,
    picklists,
    querying,
    records,
    replication,
    upsert,
)

Endpoint = Callable[[Call], Answer]
COLLECTION, OBJECT = "/composite/sobjects", "/sobjects/<object>"
TOOLING = "/tooling/sobjects/CustomField"
# Method, path, endpoint.
ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/query", querying.query),
    ("GET", "/queryAll", querying.query_all),
    ("GET", "/query/<locator>", querying.more),
    ("GET", "/queryAll/<locator>", querying.more),
    ("GET", "/tooling/query", querying.tooling_query),
    ("GET", "/tooling/query/<locator>", querying.more),
    ("POST", COLLECTION, collections.create),
    ("PATCH", COLLECTION, collections.update),
    ("DELETE", COLLECTION, collections.delete),
    ("POST", f"{COLLECTION}/<object>", collections.retrieve),
    ("GET", f"{COLLECTION}/<object>", collections.retrieve),
    ("PATCH", f"{COLLECTION}/<object>/<field>", collections.upsert_rows),
    ("POST", "/composite", composite.composite),
    ("GET", "/sobjects", describing.everything),
    ("GET", OBJECT, describing.about),
    ("GET", f"{OBJECT}/describe", describing.describe),
    ("GET", f"{OBJECT}/updated", replication.updated),
    ("GET", f"{OBJECT}/deleted", replication.deleted),
    ("POST", OBJECT, records.create),
    ("GET", f"{OBJECT}/<id>", records.read),
    ("PATCH", f"{OBJECT}/<id>", records.update),
    ("DELETE", f"{OBJECT}/<id>", records.delete),
    ("PATCH", f"{OBJECT}/<field>/<path:value>", upsert.by_path),
    ("POST", TOOLING, custom_fields.create),
    ("GET", f"{TOOLING}/<id>", custom_fields.read),
    ("DELETE", f"{TOOLING}/<id>", custom_fields.delete),
    ("GET", "/ui-api/object-info/<object>/picklist-values/<record_type>/<field>", picklists.values),
    ("GET", "/limits", limits.limits),
)
MAKERS = (collections.create, records.create)
_map = Map(
    [Rule(path, methods=[method], endpoint=endpoint) for method, path, endpoint in ROUTES],
    merge_slashes=False,
    strict_slashes=False,
).bind("")


def answer(call: Call) -> Answer:
    """Find the endpoint of a request and let it answer."""
    try:
        endpoint, args = _map.match(call.path, method=call.method)
    except MethodNotAllowed:
        message = f"HTTP Method '{call.method}' not allowed."
        raise Refusal(405, "METHOD_NOT_ALLOWED", message) from None
    except NotFound:
        raise not_found() from None
    call.args = dict(args)
    found: Answer = endpoint(call)
    return found
