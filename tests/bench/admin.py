"""The admin's pages with 1,000 and with 100,000 people: how long they take, how many queries they ask.

    python -m tests.bench.admin [NUMBER …]

The target is p95 < 200 ms at the server with 100,000 people, and queries that do not grow with them.
"""

import os
import sys
import time
from statistics import median, quantiles
from typing import Any

TIMES = 40
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "leadscoring.settings",
    "SECRET_KEY": "only-for-the-bench-and-therefore-not-secret-at-all-0123456789",
    "DEBUG": "off",
    "ALLOWED_HOSTS": "testserver",
    "BASE_URL": "http://testserver",
    "EMAIL_URL": "off",
    "HUBSPOT_ACCESS_TOKEN": "",
}
LIST = "/admin/leadscoring/contact/"
PAGES = {
    "home": "/admin/",
    "contacts": LIST,
    "contacts, page 40": f"{LIST}?p=40",
    "contacts by score": f"{LIST}?o=-3",
    "hot, not handed off": f"{LIST}?ask=hot",
    "with sales": f"{LIST}?ask=with-sales",
    "paused by a deal": f"{LIST}?ask=paused",
    "quiet for 30 days": f"{LIST}?ask=quiet",
    "never scored": f"{LIST}?ask=unscored",
    "disqualified": f"{LIST}?ask=disqualified",
    "MQL or further": f"{LIST}?ask=mql",
    "fit A, engagement 1": f"{LIST}?fit=A&engagement=1",
    "score 40 to 50": f"{LIST}?band=40",
    "search: an e-mail": f"{LIST}?q=ada.okafor1",
    "search: a name": f"{LIST}?q=ada+okafor",
    "search: a company": f"{LIST}?q=halcyon",
    "search: any word": f"{LIST}?q=robotics",
    "search: parts": f"{LIST}?q=rob+halc+oka",
    "search: a domain": f"{LIST}?q=%40halcyon.example",
    "search: one letter": f"{LIST}?q=a",
    "search: nobody": f"{LIST}?q=zzzq",
    "a contact": f"{LIST}67/change/",
    "handoffs": "/admin/crm_sync/handoff/",
    "handoffs: any word": "/admin/crm_sync/handoff/?q=robotics",
    "enrollments": "/admin/sequences/enrollment/",
    "enrollments: any word": "/admin/sequences/enrollment/?q=robotics",
    "mails: any word": "/admin/sequences/delivery/?q=robotics",
    "deals: any word": "/admin/crm_sync/deal/?q=robotics",
    "companies: any word": "/admin/leadscoring/company/?q=robotics",
    "sequences": "/admin/sequences/sequence/",
    "activities": "/admin/leadscoring/activity/",
    "activities: a person": "/admin/leadscoring/activity/?q=ada.okafor1",
    "activities: any word": "/admin/leadscoring/activity/?q=robotics",
}


def main(numbers: list[int]) -> None:
    from leadscoring import devservers

    os.environ.update(SETTINGS)
    figures: dict[int, dict[str, tuple[float, float, int]]] = {}
    for number in numbers:
        with devservers.run_servers() as (database_url, redis_url):
            os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = database_url, redis_url
            figures[number] = measured_by_a_process(number)
    show(figures)


def measured_by_a_process(number: int) -> dict[str, Any]:
    """Django knows one database for its whole life, so each size has a process of its own."""
    import json
    import subprocess

    command = [sys.executable, "-m", "tests.bench.admin", "--one", str(number)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, Any] = json.loads(told)
    return figures


def one(number: int) -> dict[str, tuple[float, float, int]]:
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.utils.timezone import now

    from tests.bench import crowd

    call_command("migrate", verbosity=0)
    for said in crowd.make(number, now()):
        sys.stderr.write(f"{said}\n")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return {name: timed(client, address) for name, address in PAGES.items()}


def timed(client: Any, address: str) -> tuple[float, float, int]:
    """Median and p95 in milliseconds, and the number of queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    asked = len(queries)
    assert answer.status_code == 200, (address, answer.status_code)
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        client.get(address)
        took.append((time.perf_counter() - began) * 1000)
    return median(took), quantiles(took, n=20)[18], asked


def show(figures: dict[int, dict[str, tuple[float, float, int]]]) -> None:
    columns = f"{'p50':>10}{'p95':>10}{'queries':>8}"
    heads = "".join(f"{f'{number:,} people':>28}" for number in figures)
    sys.stdout.write(f"{'':22}{heads}\n{'':22}{columns * len(figures)}\n")
    for name in PAGES:
        parts = [
            f"{p50:>7.0f} ms{p95:>7.0f} ms{queries:>8}"
            for p50, p95, queries in (one[name] for one in figures.values())
        ]
        sys.stdout.write(f"{name:22}{''.join(parts)}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        import json

        sys.stdout.write(json.dumps(one(int(sys.argv[2]))))
    else:
        main([int(number) for number in sys.argv[1:]] or [1_000, 100_000])
