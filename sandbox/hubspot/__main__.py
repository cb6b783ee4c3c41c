"""`python -m sandbox.hubspot --port 8900 --token TOKEN`: the stand-in as a process."""

from ..server.process import parser, run
from .definitions import PORTAL_ID
from .server import Sandbox

if __name__ == "__main__":
    options = parser("HubSpot")
    options.add_argument("--rate", type=int, default=100, help="requests in 10 s; 0: no limit")
    options.add_argument("--portal-id", type=int, default=PORTAL_ID)
    run(options.parse_args(), Sandbox)
