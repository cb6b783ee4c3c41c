"""What is done to the product while leads come in. Each trouble begins, lasts, and is over.

Each is a generator: up to its `yield` it strikes, during it leads come in, after it all parts are
there again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from random import Random

import psycopg
from celery import Celery
from redis import Redis

from leadscoring.celery import QUEUES
from sandbox.demo.sales import HopFailed
from sandbox.demo.stage import wait_for
from sandbox.demo.story import until
from tests.chaos.ground import Ground, pauses
from tests.chaos.parts import Part

# Above the lease of five minutes, which each recorded step renews.
PAST_THE_LEASE = 310.0
REACHED_WITHIN = 8.0
# Each round may end at one of the CRM's own faults, and some two dozen of them wait for their turn.
ROUNDS = 30
DOORBELL = "crm_sync.tasks.deliver_handoffs"
Way = Callable[[Ground, Random], Iterator[None]]


@dataclass(frozen=True)
class Trouble:
    """`kills`: how many workers end by it."""

    name: str
    way: Way
    kills: int = 0

    def strike(self, ground: Ground, random: Random) -> AbstractContextManager[None]:
        return contextmanager(self.way)(ground, random)


def killed_at(place: str) -> Way:
    """The only worker that is awake ends at a named place; noted when it came there."""

    def way(ground: Ground, random: Random) -> Iterator[None]:
        victim = random.choice(ground.workers)
        others = [part for part in ground.workers if part is not victim]
        paused = victim.folder / f"paused-{victim.lives}"
        victim.again(PAUSE_AT=place, PAUSE_FILE=str(paused))
        for part in others:
            part.freeze()
        yield
        for _ in range(ROUNDS):
            with suppress(HopFailed):
                until(f"{place} is reached", paused.exists, REACHED_WITHIN)
                break
            # Rows wait after a fault, or are not due yet by a clock that is late.
            time_passes(ground, PAST_THE_LEASE, asleep=others)
        ground.reached[place] += paused.exists()
        victim.again()
        for part in others:
            part.thaw()

    return way


def a_worker_killed(ground: Ground, random: Random) -> Iterator[None]:
    yield
    time.sleep(random.uniform(0, 1.5))
    random.choice(ground.workers).again()


def a_worker_frozen_past_its_lease(ground: Ground, random: Random) -> Iterator[None]:
    """It wakes up when others have long gone on with its rows, and goes on where it was."""
    sleeper = random.choice(ground.workers)
    with suppress(HopFailed):  # then it sleeps with empty hands
        until("somebody has rows in hand", lambda: held(ground), 5.0)
    time.sleep(random.uniform(0, 0.2))
    sleeper.freeze()
    yield
    time_passes(ground, PAST_THE_LEASE, asleep=[sleeper])
    time.sleep(3.0)
    sleeper.thaw()


def all_frozen_past_the_lease(ground: Ground, random: Random) -> Iterator[None]:
    yield
    time_passes(ground, PAST_THE_LEASE)


def redis_killed(ground: Ground, random: Random) -> Iterator[None]:
    ground.lose_redis()
    yield
    time.sleep(random.uniform(0, 2))
    ground.redis.start()


def redis_flushed(ground: Ground, random: Random) -> Iterator[None]:
    redis(ground).flushall()
    yield
    redis(ground).flushall()


def database_restarted(ground: Ground, random: Random) -> Iterator[None]:
    ground.postgres.stop()
    yield
    time.sleep(random.uniform(0, 1))
    ground.postgres.start()


def database_crashed(ground: Ground, random: Random) -> Iterator[None]:
    ground.crash()
    yield
    ground.postgres.start()


def connections_cut(ground: Ground, random: Random) -> Iterator[None]:
    for _ in range(5):
        time.sleep(random.uniform(0, 0.3))
        with suppress(psycopg.Error):
            ground.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
    yield


def web_killed(ground: Ground, random: Random) -> Iterator[None]:
    ground.web.kill()
    yield
    ground.web.start()
    wait_for(f"{ground.stage.web}/healthz", ground.stage)


def bells_doubled(ground: Ground, random: Random) -> Iterator[None]:
    """The same message several times, and many of them."""
    ring(ground, 20)
    yield
    ring(ground, 20)


def bells_lost(ground: Ground, random: Random) -> Iterator[None]:
    for _ in range(10):
        redis(ground).delete(*QUEUES, "unacked", "unacked_index")
        time.sleep(0.1)
    yield
    redis(ground).delete(*QUEUES, "unacked", "unacked_index")


def beats_killed(ground: Ground, random: Random) -> Iterator[None]:
    for machine in ground.machines:
        machine.beat.kill()
    yield
    for machine in ground.machines:
        machine.beat.start()


def held(ground: Ground) -> bool:
    try:
        (count,) = ground.ask(
            "SELECT count(*) FROM crm_sync_handoff WHERE status = 'waiting' AND claim IS NOT NULL"
        )
    except psycopg.Error:
        return False
    return bool(count[0])


def time_passes(ground: Ground, seconds: float, asleep: list[Part] | None = None) -> None:
    """Time goes by for everybody, as if all had been frozen; those `asleep` stay so.

    What was on its way to the CRM arrives first, as it would in so much time.
    """
    for part in ground.workers:
        part.freeze()
    time.sleep(1.0 + ground.slow)
    with ground.connected() as database:
        ground.clock.jump(seconds, database)
    for part in ground.workers:
        if part not in (asleep or []):
            part.thaw()


def redis(ground: Ground) -> Redis:
    return Redis.from_url(ground.redis_url)


def ring(ground: Ground, times: int) -> None:
    with suppress(OSError), Celery(broker=ground.redis_url, set_as_current=False) as celery:
        for _ in range(times):
            celery.send_task(DOORBELL, task_id="the-same-each-time", queue="live")


def kinds() -> list[Trouble]:
    """Every kind once."""
    others = (
        a_worker_frozen_past_its_lease, all_frozen_past_the_lease, redis_killed, redis_flushed,
        database_restarted, database_crashed, connections_cut, web_killed, bells_doubled,
        bells_lost, beats_killed,
    )  # fmt: skip
    return [*deadly(), *(Trouble(way.__name__.replace("_", " "), way) for way in others)]


def deadly() -> list[Trouble]:
    """Those that kill workers: at each named place twice (before it is reached and at it)."""
    at_places = [Trouble(f"a worker killed at {place}", killed_at(place), 2) for place in pauses()]
    return [*at_places, Trouble("a worker killed", a_worker_killed, 1)]
