"""For who has lost the second factor and knows nobody who can remove it in the admin."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from leadscoring.log_in.second_factor import remove_second_factor
from leadscoring.management import command


class Command(command.JsonCommand):
    help = "Forget somebody's app, passkeys and recovery codes, and end their sessions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username", help="whose second factor is lost")

    def run(self, **options: Any) -> int:
        username = options["username"]
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        removed = remove_second_factor(user)
        sentence = "The second factor is removed." if removed else "There was none to remove."
        self.answer({"username": username, "removed": removed}, sentence)
        return 0
