"""`/query`, `/queryAll`, their further pages, and the queries of the tooling API."""

from ..call import Answer, Call
from ..refusals import malformed
from ..soql.pages import FEWEST_ROWS, MOST_ROWS
from ..soql.parsing import parsed
from ..soql.running import Runner


def query(call: Call) -> Answer:
    return _run(call, "/query")


def query_all(call: Call) -> Answer:
    return _run(call, "/queryAll", all_rows=True)


def tooling_query(call: Call) -> Answer:
    return _run(call, "/tooling/query", tooling=True)


def more(call: Call) -> Answer:
    return 200, call.cursors.page(call.args["locator"], call.at)


def _run(call: Call, path: str, *, all_rows: bool = False, tooling: bool = False) -> Answer:
    text = call.query.get("q", "")
    if not text.strip():
        raise malformed("SOQL statement is missing: unexpected token: '<EOF>'")
    runner = Runner(call.store, call.access, call.at, call.base, all_rows=all_rows, tooling=tooling)
    found = runner.run(parsed(text))
    return 200, call.cursors.first(found, call.at, _rows(call), call.base + path)


def _rows(call: Call) -> int:
    """The size of a page: as wished, and never above what Salesforce gives."""
    wished = call.options("sforce-query-options").get("batchsize", "")
    rows = int(wished) if wished.isdigit() else MOST_ROWS
    return min(max(rows, FEWEST_ROWS), MOST_ROWS, call.settings.most_rows or MOST_ROWS)
