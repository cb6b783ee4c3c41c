"""The tasks that beat sends."""

from celery import Task, shared_task

from leadscoring.common.clock import database_time
from leadscoring.common.turns import only_turn, send_next_turn
from leadscoring.common.wakeup import acknowledge
from sequences import early_fits
from sequences.mail_activities import store_missing_sent
from sequences.sending.send import send_due

# What a turn may take at most, with a mail server that answers late at its end.
TURN_SECONDS = 30


@shared_task(bind=True)
def send_due_steps(self: Task) -> None:
    """Send for some seconds; send the next turn when mails left.

    One turn at a time in a worker, so that its other slots are for leads.
    """
    acknowledge(self.name)
    with only_turn(f"{self.name}:{self.request.hostname}", TURN_SECONDS) as mine:
        sent = send_due(clock=database_time) if mine else 0
        if mine:
            store_missing_sent(database_time())
    if sent:
        send_next_turn(self.name)


@shared_task(bind=True)
def let_early_fits_in(self: Task) -> None:
    """Let some of those in who fitted a rule when it was switched on; send the next turn when more may."""
    acknowledge(self.name)
    if early_fits.let_in(database_time()):
        send_next_turn(self.name)
