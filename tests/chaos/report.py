"""A storm's outcome, for people to read."""

from rich.console import Console

from tests.chaos.storm import RECOVERED, Outcome


def report(outcome: Outcome, console: Console) -> None:
    outcome.findings.show(console)
    line(console, f"{outcome.kills} workers killed, at named places", outcome.reached)
    line(console, "started again, because they had ended by themselves", outcome.revived)
    line(console, "troubles", outcome.struck)
    line(
        console,
        f"{outcome.too_fast} × 429 of our own making, and the CRM's trouble",
        outcome.faults,
    )
    console.print(f"the last was delivered {after(outcome.recovered)} the faults had ended")
    console.print(f"handoff_reconcile: {outcome.reconciled}", highlight=False, markup=False)
    verdict = "Nothing lost, nothing doubled." if outcome.clean else "NOT CLEAN."
    console.print(f"{verdict} Seed {outcome.seed}.", highlight=False)


def after(recovered: float | None) -> str:
    return f"more than {RECOVERED:.0f} s after" if recovered is None else f"{recovered:.0f} s after"


def line(console: Console, name: str, counts: dict[str, int]) -> None:
    said = ", ".join(f"{key} {count}" for key, count in sorted(counts.items()))
    console.print(f"{name}: {said or 'none'}", highlight=False)
