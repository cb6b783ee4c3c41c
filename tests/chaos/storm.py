"""The storm: leads come in while one trouble after the other strikes, all drawn from one seed."""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from rich.console import Console

from sandbox.demo.sales import HopFailed
from sandbox.demo.stage import wait_for
from sandbox.demo.story import Loop, until
from tests.chaos import faults
from tests.chaos.checker import Findings, check
from tests.chaos.crms import CRMS
from tests.chaos.ground import Ground, ground
from tests.chaos.leads import Leads
from tests.chaos.record import crossings
from tests.chaos.trouble import PAST_THE_LEASE, Trouble, deadly, kinds, time_passes

SHARE = 0.05  # of the CRM's answers that go wrong
# Seconds of a late answer: sooner and later than we wait for one.
QUICK, LATE = 1.5, 12.0
# A trouble lasts so many seconds at least, when leads are taken that fast at most.
LASTS = 2.0
# Time that passes at once while the ledger comes to rest (shorter than a task's time limit), the real
# seconds between, and how often before one gives up: two hours in all.
STEP, PAUSE = 200.0, 4.0
STEPS = 36
# Longer than the circuit breaker waits between two trials.
BREAKER_WAIT = 21.0
# The last gust: nobody is killed any more, a fifth of the leads come in, and so many of the CRM's
# answers go wrong for so many seconds. When it ends, all is delivered within a minute.
LAST_LEADS, HEAVY = 5, 0.3
SHORT_GUST, LONG_GUST = 5.0, 180.0
RECOVERED = 60.0
ROUNDS = 12
WAITING = "SELECT count(*) FROM crm_sync_handoff WHERE status = 'waiting'"

STILL_WAITING = """
    SELECT reason, count(*), count(claim) AS claimed, min(due_at) - now() AS first_due, max(due_at) - now() AS last_due
    FROM crm_sync_handoff WHERE status = 'waiting' GROUP BY 1 ORDER BY 2 DESC LIMIT 5
"""
BREAKERS = "SELECT work, failures, denied, until - now() AS left, reason FROM crm_sync_breaker"
CAUSES = """
    SELECT reason, count(*) FROM crm_sync_handoff WHERE status = 'waiting'
    GROUP BY 1 ORDER BY 2 DESC LIMIT 3
"""

Some = TypeVar("Some")
Plan = Sequence[tuple[Trouble, int]]


@dataclass
class Outcome:
    seed: int
    findings: Findings
    struck: Counter[str] = field(default_factory=Counter)  # troubles
    reached: Counter[str] = field(default_factory=Counter)  # named places at which a worker ended
    faults: Counter[str] = field(
        default_factory=Counter
    )  # of the CRM, also those that never struck
    too_fast: int = 0  # requests that it refused because of our pace
    kills: int = 0
    recovered: float | None = None  # seconds from the end of the faults to the last delivery
    stuck: str = ""  # what waited, and why, when it took too long
    reconciled: dict[str, Any] = field(default_factory=dict)  # what `handoff_reconcile` says
    revived: Counter[str] = field(default_factory=Counter)  # parts that ended by themselves

    @property
    def clean(self) -> bool:
        lists = [self.reconciled.get(name) for name in ("missing", "duplicate", "unknown")]
        return self.findings.clean and lists == [[], [], []]


def plan(random: Random, many: int, kills: int) -> Plan:
    """Troubles in the order in which they strike, and how many leads come in during each."""
    chosen, enough = kinds(), deadly()
    while sum(each.kills for each in chosen) < kills:
        chosen.append(random.choice(enough))
    random.shuffle(chosen)
    shares = [len(part_of(range(many), n, len(chosen))) for n in range(len(chosen))]
    return list(zip(chosen, shares, strict=True))


def storm(
    seed: int,
    many: int,
    kills: int,
    console: Console,
    slow: float = QUICK,
    unique: bool | None = None,
    gust: float = SHORT_GUST,
    crm: str = "hubspot",
) -> Outcome:
    """One whole storm, and what was found after it. Its logs stay when something was.

    `unique`: the CRM refuses a second task of one reference; drawn from the seed unless told.
    `gust`: seconds of the last gust.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
    console.print(f"{crm}, seed {seed}, {many} crossings, at least {kills} kills; logs in {folder}")
    random = Random(seed)
    drawn = random.random() < 0.5
    unique = bool(CRMS[crm].unique) and (drawn if unique is None else unique)
    console.print(f"  the CRM {'refuses' if unique else 'takes'} a second task of one reference")
    with ground(folder, crm=crm, slow=slow) as over:
        leads = Leads(over.stage.web, begin(over, unique), Random(random.random()))
        outcome = Outcome(seed, Findings())
        with faults.blowing(over.stage.crm, SHARE, slow):
            last = many // LAST_LEADS
            blow(over, leads, plan(random, many - last, kills), random, outcome, console)
            blow_last(over, leads, last, gust)
        outcome.recovered = recover(over, console)
        if outcome.recovered is None:
            outcome.stuck = f"{over.ask(STILL_WAITING)}; breakers: {over.ask(BREAKERS)}"
        come_to_rest(over, console)
        outcome.findings = check(crossings(over.database_url, leads.taken), over.seen_there())
        outcome.reconciled = compare(over)
        outcome.reached, outcome.revived = over.reached, over.revived
        outcome.faults = faults.struck(over.stage.crm)
        outcome.too_fast = faults.too_fast(faults.answers(over.stage.crm))
    if outcome.clean:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def blow(
    over: Ground, leads: Leads, troubles: Plan, random: Random, outcome: Outcome, console: Console
) -> None:
    """One trouble after the other; each kind of the CRM's own trouble comes once, the rest by chance."""
    names = shuffled(faults.kinds(over.stage.crm), random)
    for n, (trouble, share) in enumerate(troubles):
        console.print(f"  {len(leads.taken):>6} in   {trouble.name}", highlight=False)
        over.supervise()
        faults.once(over.stage.crm, part_of(names, n, len(troubles)), over.slow)
        strike(over, trouble, share, leads, Random(random.random()))
        # Else the circuit breaker would stay open through the storm: nothing would be under way.
        time_passes(over, BREAKER_WAIT)
        outcome.struck[trouble.name] += 1
        outcome.kills += trouble.kills
    last_out(over)


def last_out(over: Ground) -> None:
    """Time passes until each kind of the CRM's trouble came; the report says which did not."""
    for _ in range(ROUNDS):
        with suppress(HopFailed):
            until("each came once", lambda: all(faults.struck(over.stage.crm).values()), PAUSE)
            return
        time_passes(over, STEP)


def shuffled(names: list[str], random: Random) -> list[str]:
    return random.sample(names, len(names))


def part_of(names: Sequence[Some], n: int, parts: int) -> Sequence[Some]:
    """The n-th of so many equal parts."""
    return names[len(names) * n // parts : len(names) * (n + 1) // parts]


def begin(over: Ground, unique: bool) -> str:
    """Web and machines start, the CRM is set up; a key to the API."""
    loop = Loop(over.stage, Console(quiet=True))
    if name := over.crm.unique:
        faults.told(f"{over.stage.crm}/sandbox/settings", "POST", {name: unique})
    over.web.start()
    wait_for(f"{over.stage.web}/healthz", over.stage)
    loop.command("crm_setup")  # a CRM may try the address of its webhooks
    for machine in over.machines:
        machine.worker.start()
        machine.beat.start()
    return str(loop.command("create_api_key", "chaos")["key"])


def strike(over: Ground, trouble: Trouble, share: int, leads: Leads, random: Random) -> None:
    """Leads come in during a trouble; those that can't, soon after it."""
    with ThreadPoolExecutor(1) as pool:
        with trouble.strike(over, random):
            coming = pool.submit(leads.come_in, share)
            wait([coming], LASTS)
        coming.result()


def compare(over: Ground) -> dict[str, Any]:
    """What the product itself says about the ledger and the CRM."""
    loop = Loop(over.stage, Console(quiet=True))
    return dict(loop.command("handoff_reconcile", good=(0, 1)))


def blow_last(over: Ground, leads: Leads, share: int, seconds: float) -> None:
    """The CRM's own trouble alone: what a killed worker held is free by then."""
    over.supervise()
    time_passes(over, PAST_THE_LEASE)
    with faults.blowing(over.stage.crm, HEAVY, over.slow), ThreadPoolExecutor(1) as pool:
        coming = pool.submit(leads.come_in, share)
        time.sleep(seconds)
        coming.result()


def recover(over: Ground, console: Console) -> float | None:
    """Seconds that go by, as fast as here, until all is delivered; None when they are too many."""
    waiting = over.ask(WAITING)[0][0]
    console.print(f"  the faults have ended, {waiting} wait", highlight=False)
    with suppress(HopFailed):
        _, seconds = until("all is delivered", lambda: over.ask(WAITING) == [(0,)], RECOVERED)
        return seconds
    return None


def come_to_rest(over: Ground, console: Console) -> None:
    """Nobody is asked to do anything: time passes, and nothing waits any more. It passes faster
    than here, or the waits between attempts would be most of the run."""
    for step in range(STEPS):
        over.supervise()
        try:
            until("nothing waits", lambda: over.ask(WAITING) == [(0,)], PAUSE)
        except HopFailed:
            for because, count in over.ask(CAUSES):
                console.print(f"  {count} wait: {because}", highlight=False)
            time_passes(over, STEP)
        else:
            console.print(f"  at rest after {step * STEP / 60:.0f} minutes of the storm's time")
            return
    console.print(f"[red]Still waiting after {STEPS * STEP / 60:.0f} minutes:[/red] see the table.")
