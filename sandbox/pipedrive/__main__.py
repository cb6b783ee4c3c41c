"""`python -m sandbox.pipedrive --port 8900 --token TOKEN`: the stand-in as a process."""

from ..server.process import parser, run
from .server import Sandbox

if __name__ == "__main__":
    options = parser("Pipedrive")
    options.add_argument("--rate", type=int, default=40, help="requests in 2 s; 0: no limit")
    options.add_argument(
        "--daily", type=int, default=300_000, help="tokens that a day may cost; 0: no limit"
    )
    run(options.parse_args(), Sandbox)
