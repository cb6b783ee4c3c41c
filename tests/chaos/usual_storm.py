"""The same storm over the usual way: its worker is killed while the CRM's faults strike."""

import tempfile
import time
from pathlib import Path
from random import Random

from redis import Redis

from leadscoring.devservers import Redis as RedisServer
from leadscoring.devservers import Servers, run_server
from sandbox.demo.stage import arrange, port_of, wait_for
from tests.chaos import faults
from tests.chaos.checker import Findings, check
from tests.chaos.crms import CRMS, RATE
from tests.chaos.parts import Part
from tests.chaos.record import Crossing, asked
from tests.chaos.usual import QUEUE

SHARE, SLOW = 0.05, 1.5


def usual_storm(seed: int, many: int, kills: int, rate: int = RATE) -> Findings:
    """So many leads by the usual way, under the same faults, its worker killed so many times.

    Its ledger is what those who wrote it believe: each lead was handed over.
    """
    random, emails = Random(seed), [f"lead-{n}@usual.example" for n in range(many)]
    with tempfile.TemporaryDirectory() as folder, run_server(RedisServer) as server:
        stage = arrange(Path(folder), Servers("", server.url))
        token = stage.environment["HUBSPOT_ACCESS_TOKEN"]
        run = (
            "-m",
            "sandbox.hubspot",
            "--port",
            port_of(stage.crm),
            "--rate",
            str(rate),
            "--token",
            token,
        )
        sandbox = Part("sandbox", run, stage.environment, stage.folder)
        usual = ("-m", "tests.chaos.usual", stage.crm, token, server.url)
        worker = Part("usual", usual, stage.environment, stage.folder)
        try:
            sandbox.start()
            wait_for(stage.crm, stage)
            queue = Redis.from_url(server.url)
            queue.rpush(QUEUE, *emails)
            with faults.blowing(stage.crm, SHARE, SLOW):
                under_kills(worker, queue, random, many, kills)
            return check(
                [Crossing(each, status="delivered") for each in emails],
                CRMS["hubspot"].record(asked(f"{stage.crm}/sandbox/store")),
            )
        finally:
            worker.kill()
            sandbox.kill()


def under_kills(worker: Part, queue: Redis, random: Random, many: int, kills: int) -> None:
    """Let it work, kill it at some moments, and let it come to its end."""
    worker.start()
    for at in sorted(random.sample(range(1, many), kills), reverse=True):
        while queue.llen(QUEUE) > at:
            time.sleep(0.01)
        worker.again()
    assert worker.process
    worker.process.wait(300)
