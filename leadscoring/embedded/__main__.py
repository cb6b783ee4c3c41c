"""`python -m leadscoring.embedded start | stop | status`, behind `make services`."""

import sys

from leadscoring.embedded.kept import running, start, stop
from leadscoring.embedded.server import ServerError


def main(arguments: list[str]) -> int:
    """Usage: python -m leadscoring.embedded start | stop | status

    Exits 0 when they run (for `stop`: no longer), 1 when not, 2 when used wrongly.
    """
    match arguments:
        case ["start"]:
            start()
        case ["stop"]:
            stop()
            return 0
        case ["status"]:
            pass
        case _:
            sys.stderr.write(f"{main.__doc__}\n")
            return 2
    found = running()
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
