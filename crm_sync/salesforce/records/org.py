"""An org as the modules of records use it: its rows by query, and what its objects are made of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, urlsplit

from crm_sync.port import CrmDenied, CrmRejected
from crm_sync.salesforce.records.schema import Schema, SObject
from crm_sync.salesforce.records.soql import Query
from crm_sync.salesforce.transport.calls import QUERIES, QUERY, QUERY_ALL, QUERY_MORE
from crm_sync.salesforce.transport.client import Json, SalesforceClient
from crm_sync.salesforce.transport.errors import StaleFields, error_from_body, silence_error
from leadscoring.common.batching import batched

MOST_QUERIES = 5  # in one call. docs/salesforce-facts.md#several-queries-in-one-call
Rows = list[Json]

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Org:
    client: SalesforceClient
    schema: Schema

    @property
    def user_id(self) -> str:
        """Return the integration user's id."""
        return self.client.sessions.current().user_id

    def sobject(self, name: str) -> SObject:
        """Return an object of the org with the fields that the integration user sees."""
        return self.schema.of(self.client, name)

    def rows(self, query: Query) -> Rows:
        return self.rows_of([query])[0]

    def all_rows(self, soqls: Iterator[str], *, deleted: bool = False) -> Rows:
        """Return the rows of several queries of one kind, together."""
        found = self.rows_of([Query(soql, deleted) for soql in soqls])
        return [row for rows in found for row in rows]

    def rows_of(self, queries: Sequence[Query]) -> list[Rows]:
        """Return all rows of each query, asking up to MOST_QUERIES in one call."""
        return [
            rows for batch in batched(queries, MOST_QUERIES) for rows in self._rows_of_batch(batch)
        ]

    def _rows_of_batch(self, queries: Sequence[Query]) -> list[Rows]:
        if len(queries) == 1:
            return [self._rows_of_one(queries[0])]
        call = {
            "allOrNone": False,
            "compositeRequest": [
                {"method": "GET", "url": self._address(query), "referenceId": f"q{number}"}
                for number, query in enumerate(queries)
            ],
        }
        answered = _objects(self.client.ask(QUERIES, call).get("compositeResponse"))
        by_reference = {str(each.get("referenceId")): each for each in answered}
        return [
            self._answered(query, by_reference.get(f"q{number}", {}))
            for number, query in enumerate(queries)
        ]

    def _rows_of_one(self, query: Query) -> Rows:
        call = QUERY_ALL if query.deleted else QUERY
        try:
            return self._pages(self.client.ask(call, query=[("q", query.soql)]))
        except CrmRejected:
            if query.optional:
                return []
            raise

    def _answered(self, query: Query, answer: Json) -> Rows:
        status, body = answer.get("httpStatusCode"), answer.get("body")
        if status == 200 and isinstance(body, dict):
            return self._pages(body)
        if not isinstance(status, int) or status == 200:
            raise silence_error(QUERIES, "one of the queries has no answer")
        error = error_from_body(QUERIES, status, body)
        if query.optional and isinstance(error, CrmRejected):
            return []
        self.client.limiter.obey(error)
        raise error

    def _pages(self, page: Json) -> Rows:
        """Return the rows of a page and of all that follow it. docs/salesforce-facts.md#queries"""
        found, seen = _objects(page.get("records")), set()
        while page.get("done") is False:
            locator = urlsplit(str(page.get("nextRecordsUrl") or "")).path.rpartition("/")[2]
            if not locator or locator in seen:
                raise silence_error(QUERY_MORE, "it does not say where the next page is")
            seen.add(locator)
            page = self.client.ask(QUERY_MORE, path={"locator": locator})
            found += _objects(page.get("records"))
        return found

    def _address(self, query: Query) -> str:
        path = (QUERY_ALL if query.deleted else QUERY).path
        return f"{path.replace('{version}', self.client.version)}?q={quote(query.soql)}"


def with_fresh_fields(
    read: Callable[Concatenate[Org, Given], Result],
) -> Callable[Concatenate[Org, Given], Result]:
    """Read once more, with newly described fields, when one of them is not there any more.

    Raise CrmDenied when what cannot be done without is hidden from us.
    """

    @wraps(read)
    def reread(org: Org, /, *given: Given.args, **named: Given.kwargs) -> Result:
        try:
            return read(org, *given, **named)
        except StaleFields:
            org.schema.forget()
        try:
            return read(org, *given, **named)
        except StaleFields as hidden:
            raise CrmDenied(f"{hidden} Give the integration user what is missing.") from None

    return reread


def _objects(found: Any) -> list[Json]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
