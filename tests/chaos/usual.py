"""The usual way to hand leads to a CRM: create the contact, create the task, three tries.

`python -m tests.chaos.usual CRM TOKEN REDIS`: a worker with a few threads that takes addresses from
a list in Redis until it is empty. It is what many projects do, done with care: a contact that is
there already is used, and each try waits longer than the one before. What it lacks is a memory of
how far it came.
"""

import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from redis import Redis

from tests.loop.outside import TASK_TO_CONTACT, ask

QUEUE = "usual"
THREADS, TRIES, FIRST_WAIT = 4, 3, 0.2
REP = "712340001"  # one of those whom every stand-in has
EXISTING = re.compile(r"Existing ID: (\d+)")


class Failed(Exception):
    """The CRM did not do it, or did not say so."""


class Usual:
    def __init__(self, crm: str, token: str) -> None:
        self.crm = crm
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def hand_over(self, email: str) -> bool:
        """Whether it worked in one of the tries."""
        for n in range(TRIES):
            try:
                self.create_task(email, self.create_contact(email))
            except (OSError, ValueError, KeyError, Failed):
                time.sleep(FIRST_WAIT * 2**n)
            else:
                return True
        return False

    def create_contact(self, email: str) -> str:
        properties = {
            "email": email,
            "firstname": "Ada",
            "lifecyclestage": "marketingqualifiedlead",
        }
        status, text = self.say("contacts", {"properties": properties})
        if status == 409 and (known := EXISTING.search(text)):
            return known[1]
        if status != 201:
            raise Failed(status)
        return str(json.loads(text)["id"])

    def create_task(self, email: str, record_id: str) -> None:
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TASK_TO_CONTACT}
        properties = {
            "hs_task_subject": f"Hot lead: {email}", "hs_task_body": "Please call.",
            "hs_timestamp": str(int(time.time() * 1000)), "hubspot_owner_id": REP,
        }  # fmt: skip
        link = {"to": {"id": record_id}, "types": [kind]}
        status, text = self.say("tasks", {"properties": properties, "associations": [link]})
        if status != 201:
            raise Failed(status)
        json.loads(text)["id"]

    def say(self, kind: str, body: Any) -> tuple[int, str]:
        url = f"{self.crm}/crm/v3/objects/{kind}"
        answer = ask("POST", url, json.dumps(body).encode(), self.headers)
        return answer.status, answer.text


def work(usual: Usual, queue: Any) -> None:
    while email := queue.lpop(QUEUE):
        usual.hand_over(email.decode())


def main() -> None:
    _, crm, token, redis = sys.argv
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(THREADS):
            pool.submit(work, Usual(crm, token), Redis.from_url(redis))


if __name__ == "__main__":
    main()
