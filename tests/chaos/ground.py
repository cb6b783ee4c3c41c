"""Everything a storm goes over: servers of its own, the stand-in, web, and machines with workers."""

import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from leadscoring.devservers import Postgres, Redis, Server, Servers, run_server
from sandbox.demo.sales import sales_of
from sandbox.demo.stage import CHECKOUT, Stage, arrange, port_of, wait_for
from tests.chaos.clock import DATABASE_TIME, Clock
from tests.chaos.crms import CRMS, StormyCrm
from tests.chaos.parts import Machine, Part
from tests.chaos.record import CrmRecord, asked

# Half of the five minutes that the clocks of two machines are apart.
WRONG = 150.0
PAUSES = re.compile(r'reach\("(handoff\.\w+)"\)')


@dataclass
class Ground:
    stage: Stage
    postgres: Server
    redis: Server
    sandbox: Part
    web: Part
    machines: list[Machine]
    clock: Clock
    slow: float = 0.0  # seconds of the CRM's late answers
    revived: Counter[str] = field(default_factory=Counter)  # parts that had ended by themselves
    reached: Counter[str] = field(default_factory=Counter)  # named places where a worker was killed

    @property
    def database_url(self) -> str:
        return self.stage.environment["DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        return self.stage.environment["REDIS_URL"]

    @property
    def crm(self) -> StormyCrm:
        return CRMS[self.stage.environment["CRM"]]

    def seen_there(self) -> CrmRecord:
        """The CRM's own record."""
        return self.crm.record(asked(f"{self.stage.crm}/sandbox/store"))

    @property
    def workers(self) -> list[Part]:
        return [machine.worker for machine in self.machines]

    @property
    def parts(self) -> list[Part]:
        return [self.web, *self.workers, *(machine.beat for machine in self.machines)]

    def supervise(self) -> None:
        """Start again what ended by itself, as a supervisor does in production."""
        self.revived.update(part.name for part in self.parts if part.revive())

    def connected(self) -> psycopg.Connection:
        return psycopg.connect(self.database_url, autocommit=True, connect_timeout=5)

    def ask(self, statement: str) -> list[tuple]:
        with self.connected() as database:
            answer = database.execute(statement)
            return answer.fetchall() if answer.description else []

    def crash(self) -> None:
        """All of PostgreSQL's processes leave at once; it is started again by its `start`."""
        leader = (self.postgres.data / "postmaster.pid").read_text().split()[0]
        os.kill(int(leader), signal.SIGQUIT)
        self.postgres.process.wait(30)

    def lose_redis(self) -> None:
        os.killpg(self.redis.process.pid, signal.SIGKILL)  # its own session, with its guard
        self.redis.process.wait()


def pauses() -> list[str]:
    """The named places on a handoff's way where a worker can be stopped, as the code has them."""
    texts = (path.read_text() for path in sorted((CHECKOUT / "crm_sync").rglob("*.py")))
    return sorted({name for text in texts for name in PAUSES.findall(text)})


@contextmanager
def ground(
    folder: Path, *, crm: str = "hubspot", wrong: float = WRONG, slow: float = 0.0
) -> Iterator[Ground]:
    """All parts but web and machines run; everything ends with the block."""
    with ExitStack() as stack:
        postgres = stack.enter_context(run_server(Postgres))
        redis = stack.enter_context(run_server(Redis))
        stage = arrange(folder, Servers(postgres.url, redis.url), crm)
        own = {**CRMS[crm].settings, "CRM_POLL_SECONDS": "20"}
        stage = replace(stage, environment={**stage.environment, **own})
        made = laid_out(stage, postgres, redis, wrong)
        made.slow = slow
        for part in [made.sandbox, *made.parts]:
            stack.callback(part.kill)
        survive_crashes(made)
        made.ask(DATABASE_TIME)
        stage.manage("migrate", "--no-input")
        made.sandbox.start()
        wait_for(stage.crm, stage)
        yield made


def laid_out(stage: Stage, postgres: Server, redis: Server, wrong: float) -> Ground:
    folder, environment = stage.folder, stage.environment
    sales, crm = sales_of(environment["CRM"]), CRMS[environment["CRM"]]
    clock = Clock(folder / "clock")
    sandbox = ("-m", sales.module, "--port", port_of(stage.crm), *crm.options, *sales.options(environment))  # fmt: skip
    web = ("-m", "gunicorn", "leadscoring.wsgi", "--bind", f"127.0.0.1:{port_of(stage.web)}",
           "--worker-class", "leadscoring.operations.gunicorn_worker.BoundedThreadWorker", "--threads", "4", "--no-control-socket")  # fmt: skip
    return Ground(
        stage, postgres, redis,
        Part("sandbox", sandbox, environment, folder),
        Part("web", web, environment, folder),
        [
            Machine("early", wrong, ("--concurrency", "2"), environment, clock, folder),
            Machine("late", -wrong, ("--pool", "solo"), environment, clock, folder),
        ],
        clock,
    )  # fmt: skip


def survive_crashes(made: Ground) -> None:
    """What was committed is there after PostgreSQL was killed (not after the machine was)."""
    made.ask("ALTER DATABASE postgres SET synchronous_commit = on")
