"""What a client sees when far more comes in than can be served: python -m tests.bench.overload

Clients that each post a single activity as soon as the last one is answered, on a connection of its own
and with a patience of ten seconds: first few, then many at once. The same against gunicorn's own
`gthread`, which lets all of them wait.
"""

import json
import statistics
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from tests.bench.intake import say, stage
from tests.web import WORKER, served

SECONDS, PATIENCE = 20.0, 10.0
FEW, MANY = 8, 400
numbers = count(1)


def post(url: str, key: str, source: str) -> tuple[str, float]:
    """What became of one activity, and the seconds it took."""
    number = next(numbers)
    body = {
        "email": f"p{number % 500}@x.example",
        "type": "page_view",
        "event_id": f"{source}{number}",
    }
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=PATIENCE
        ) as answer:
            result = str(answer.status)
    except urllib.error.HTTPError as refused:
        result = str(refused.code)
    except OSError:
        result = "gave up"
    return result, time.perf_counter() - began


def load(place: str, key: str, clients: int) -> None:
    url, source = f"http://{place}/api/v1/activities", f"{place}-{clients}-"
    until = time.perf_counter() + SECONDS
    seen: list[tuple[str, float]] = []
    lock = threading.Lock()

    def client(_: int) -> None:
        while time.perf_counter() < until:
            result, seconds = post(url, key, source)
            with lock:
                seen.append((result, seconds))
            if result == "503":
                time.sleep(2)  # as Retry-After says

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    results = Counter(result for result, _ in seen)
    took = [seconds for result, seconds in seen if result == "200"]
    refused = [seconds for result, seconds in seen if result == "503"]
    p95 = statistics.quantiles(took, n=20)[-1] if len(took) > 1 else float("nan")
    told = f", told so in {statistics.median(refused):.2f} s" if refused else ""
    stored = stored_of(source)
    say(
        f"  {clients} clients",
        f"{results['200'] / SECONDS:.0f} a second taken, p95 {p95:.2f} s, most {max(took, default=0):.1f} s; "
        f"{results['503']} refused{told}; {results['gave up']} clients gave up, "
        f"{stored - results['200']} stored for nobody",
    )


def stored_of(source: str) -> int:
    from leadscoring.models import Activity

    time.sleep(PATIENCE)  # what is still under way is stored by then
    return Activity.objects.filter(event_id__startswith=source).count()


def main() -> None:
    import django

    with stage() as (place, key):
        django.setup()
        for name, worker in (("as deployed", WORKER), ("gunicorn's own gthread", "gthread")):
            sys.stdout.write(f"{name}\n")
            with served({}, worker_class=worker) as place:
                for clients in (FEW, MANY):
                    load(place, key, clients)


if __name__ == "__main__":
    main()
