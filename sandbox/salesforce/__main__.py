"""`python -m sandbox.salesforce --port 8901 --client-id ID --client-secret SECRET`: the stand-in as a process."""

from ..server.process import parser, run
from .server import Sandbox

if __name__ == "__main__":
    options = parser("Salesforce", token=False)
    options.add_argument("--client-id", required=True, help="the consumer key it accepts")
    options.add_argument("--client-secret", required=True, help="the consumer secret it accepts")
    options.add_argument("--daily", type=int, default=100_000, help="calls in 24 h; 0: no limit")
    run(options.parse_args(), Sandbox)
