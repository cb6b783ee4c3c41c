"""Leads come in over the public API, each again until the product has said that it took it."""

import json
import urllib.error
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from sandbox.demo.story import until
from tests.loop.outside import Answer, ask

PATIENCE = 180.0  # seconds that a client goes on trying
FIRST = ("Ada", "Grace", "Radia", "Zoë", "José", "Mei-Ling", "O’Neil", "<b>Bo</b>")
LAST = ("Lind", "Okafor", "Novak", "van der Berg", "Haddad & Sons", "Ångström")
FIRMS = ("Alder Robotics", "Birch Energy", "Cedar Foods", "Döner & Co", 'Elm "Fast" Freight')


@dataclass
class Leads:
    """`taken`: addresses whose decisive activity was answered with 200; only those are promised."""

    web: str
    key: str
    random: Random
    lengths: Sequence[int] = (1, 1, 1, 2, 5, 20)  # of the lists in which they come
    number: int = 0
    taken: list[str] = field(default_factory=list)

    def come_in(self, many: int) -> None:
        """So many more people cross the threshold, some alone and some in lists."""
        people = [self.person() for _ in range(many)]
        for some in parted(people, self.lengths, self.random):
            self.say("contacts", some)
            self.say("activities", [self.wants_a_demo(person["email"]) for person in some])
            self.taken += [person["email"] for person in some]

    def person(self) -> dict[str, Any]:
        self.number += 1
        return {
            "email": f"lead-{self.number}@chaos.example",
            "first_name": self.random.choice(FIRST),
            "last_name": self.random.choice(LAST),
            "company": self.random.choice(FIRMS),
            "job_title": "VP Marketing",
            "phone": f"+49 30 {self.number:06}",
            "country": self.random.choice(("Germany", "Sweden", "")),
            "properties": {"company_size": self.random.choice((300, 400, 700))},
        }

    def wants_a_demo(self, email: str) -> dict[str, Any]:
        return {"email": email, "type": "demo_request", "source": "chaos", "event_id": email}

    def say(self, path: str, items: Sequence[Any]) -> None:
        until(f"{path} are taken", partial(self.said, path, items), PATIENCE)

    def said(self, path: str, items: Sequence[Any]) -> bool:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            url = f"{self.web}/api/v1/{path}"
            answer: Answer = ask("POST", url, json.dumps(items).encode(), headers)
        except (urllib.error.URLError, OSError):
            return False
        if answer.status != 200:
            return False
        assert not answer.body["rejected"], answer.text
        return True


def parted(
    people: Sequence[Any], lengths: Sequence[int], random: Random
) -> Iterator[Sequence[Any]]:
    while people:
        length = random.choice(lengths)
        yield people[:length]
        people = people[length:]
