"""`make chaos`, or `python -m tests.chaos --seed 7 --crossings 10000 --kills 50`: the long form.

Exits 0 when nothing was lost or doubled. A seed that failed is replayed by naming it.
"""

import argparse
import secrets
import signal
import sys

from rich.console import Console

from sandbox.demo.stage import asked_to_end
from tests.chaos.crms import CRMS
from tests.chaos.report import report
from tests.chaos.storm import LATE, LONG_GUST, QUICK, SHORT_GUST, storm


def main() -> int:
    signal.signal(signal.SIGTERM, asked_to_end)
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--crossings", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument(
        "--quick", action="store_true", help="as in `make test`: late answers come sooner"
    )
    parser.add_argument("--gust", type=float, help="seconds of the last gust of the CRM's faults")
    parser.add_argument(
        "--unique",
        action=argparse.BooleanOptionalAction,
        help="the CRM keeps references unique; default: drawn",
    )
    parser.add_argument("--crm", default="hubspot", choices=CRMS)
    options, console = parser.parse_args(), Console(soft_wrap=True)
    slow = QUICK if options.quick else LATE
    gust = options.gust or (SHORT_GUST if options.quick else LONG_GUST)
    outcome = storm(
        options.seed,
        options.crossings,
        options.kills,
        console,
        slow,
        options.unique,
        gust,
        options.crm,
    )
    report(outcome, console)
    return 0 if outcome.clean else 1


if __name__ == "__main__":
    sys.exit(main())
