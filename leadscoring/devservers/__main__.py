"""`python -m leadscoring.devservers start | stop | status`, behind `make services`."""

import sys

from leadscoring.devservers.server import ServerError
from leadscoring.devservers.state_file import running_servers, start_servers, stop_servers


def main(arguments: list[str]) -> int:
    """Usage: python -m leadscoring.devservers start | stop | status

    Exits 0 when they run (for `stop`: no longer), 1 when not, 2 when used wrongly.
    """
    match arguments:
        case ["start"]:
            start_servers()
        case ["stop"]:
            stop_servers()
            return 0
        case ["status"]:
            pass
        case _:
            sys.stderr.write(f"{main.__doc__}\n")
            return 2
    found = running_servers()
    if found:
        sys.stdout.write(f"DATABASE_URL={found.database_url}\nREDIS_URL={found.redis_url}\n")
    else:
        sys.stdout.write("PostgreSQL and Redis do not run here (`make services` starts them).\n")
    return 0 if found else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ServerError as wrong:
        sys.exit(str(wrong))
