"""How often the CRM is asked: as often as wanted, or as a share of the day's budget allows.

A small account's budget (30,000 tokens, 15,000 calls) would not last through the day otherwise. The shares
leave a third of it to fresh leads and to what changed.
"""

from datetime import timedelta

from crm_sync.port import Crm

DAY = timedelta(days=1)
# Shares of the day's budget.
POLL = 0.16  # looks for changes
DEFINITIONS = 0.04  # pipelines, stages and reps
FRESH_TASKS, OLD_TASKS = 0.08, 0.04
ASSOCIATIONS = 0.25  # whose deals differ, of everybody
RECORDS = 0.035  # everybody's record and deals, read again


def shortest_interval(crm: Crm, cost: float, share: float, wanted: timedelta) -> timedelta:
    """Return the time from one start to the next of work that costs so much: `wanted`, or longer where
    its share of the day's budget is too small for that."""
    return max(wanted, DAY * cost / (share * daily_allowance(crm)))


def daily_allowance(crm: Crm) -> int:
    """Return what may be used in a day, in the unit of the CRM's budget."""
    return crm.budget().allowed_today or crm.capabilities.daily_allowance
