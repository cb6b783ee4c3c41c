"""Confirm that the database was restored from a backup, and let nothing be sent a second time."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from crm_sync.connect import connect
from crm_sync.port import CrmError
from crm_sync.reconcile.after_restore import Restored, take_over
from leadscoring.common.clock import database_time
from leadscoring.management.command import WRONG, instant_argument
from leadscoring.management.command import JsonCommand as Console
from leadscoring.operations import restore

UNNOTICED = (
    "No restore was noticed, or it is confirmed already. If the files of the database's cluster were "
    "restored, say so with --unnoticed."
)


class Command(Console):
    help = "After the database was restored from a backup: find what was sent since, then go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--until", type=instant_argument, metavar="INSTANT",
            help="when the lost installation was last at work (default: now); mails that fell due "
            "later have certainly not left",
        )  # fmt: skip
        which.add_argument(
            "--nothing-since", action="store_true",
            help="no worker ran between the backup and now (a move to another machine)",
        )  # fmt: skip

        parser.add_argument(
            "--unnoticed", action="store_true",
            help="also when no restore was noticed: the files of the cluster were restored",
        )  # fmt: skip

    def run(self, **options: Any) -> int:
        at = database_time()
        until = options["until"] or at
        if until > at:
            raise CommandError("--until is in the future.")
        if not (options["unnoticed"] or restore.reason_to_hold()):
            raise CommandError(UNNOTICED)
        if options["nothing_since"]:
            restore.confirm()
            self.answer(Restored().as_dict(), "This installation sends from now on.")
            return 0
        try:
            done = take_over(connect(), at, until=until, watch=self.watch)
        except CrmError as error:
            self.leave(f"Nothing is sent yet; run this again. {error}", WRONG)
        self.answer(done.as_dict(), told(done))
        return 0

    def watch(self, steps: Iterator[int]) -> Iterator[int]:
        return self.progress(steps, None, "tasks read")


def told(done: Restored) -> str:
    return (
        f"{done.tasks} tasks of ours in the CRM: {done.adopted} belong to leads that waited, "
        f"{done.kept} are kept for leads that will cross again. {done.to_look_for} leads look for "
        f"their task before one is made. {done.mails} mails may have left: decide for them on the "
        "list of mails. Mail goes on when the CRM was read whole."
    )
