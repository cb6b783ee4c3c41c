"""Send by a client for Python: `python send_python.py segment|rudderstack HOST KEY EVENTS CLOCK`.

A process of its own: RudderStack's client reads any .env it finds into the environment. CLOCK: how many
seconds it is ahead.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

import time_machine

name, host, key, events, ahead = sys.argv[1:]
if name == "segment":
    from segment.analytics.client import Client
else:
    from rudderstack.analytics.client import Client
wrong = datetime.now(UTC) + timedelta(seconds=int(ahead))
errors = []

with time_machine.travel(wrong):
    client = Client(key, host=host, on_error=lambda error, batch: errors.append(error))
    client.identify("u1", {"email": "ada@example.com", "plan": "pro"}, message_id="i")
    for n in range(int(events)):
        at = int((time.time() - int(ahead)) * 1000)
        client.track("u1", "Item Viewed", {"n": n, "at": at}, message_id=f"t{n}")
    client.page(anonymous_id="a1", name="Pricing", message_id="p")
    client.screen("u1", name="Home", message_id="s")
    client.group("u1", "g1", {"name": "Initech"}, message_id="g")
    client.alias("a1", "u1", message_id="a")
    client.flush()
    client.join()
sys.exit(str(errors) if errors else 0)
