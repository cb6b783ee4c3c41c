"""A key for a program that sends people and activities."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from leadscoring import api_keys
from leadscoring.management import command
from leadscoring.management.command import source_name_argument


class Command(command.JsonCommand):
    help = "Make an API key and print it, once: only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "name", type=source_name_argument, help="who will use it; the default source too"
        )
        parser.add_argument(
            "--write-only",
            action="store_true",
            help="it may send people and activities and read nothing, so it may stand in a web page",
        )

    def run(self, **options: Any) -> int:
        name, write_only = options["name"], options["write_only"]
        try:
            api_keys.check_name(name)
        except ValueError as own:
            raise CommandError(str(own)) from None
        try:
            with transaction.atomic():
                _, text = api_keys.create_key(name, write_only=write_only)
        except IntegrityError:
            taken = f"There is an API key {name!r} already; nothing was made."
            self.answer({"error": taken}, taken)
            return command.WRONG
        self.answer({"name": name, "key": text, "write_only": write_only}, text)
        return 0
