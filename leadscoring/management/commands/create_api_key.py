"""A key for a program that sends people and activities."""

from argparse import ArgumentParser
from typing import Any

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

    def run(self, **options: Any) -> int:
        name = options["name"]
        try:
            with transaction.atomic():
                _, text = api_keys.create_key(name)
        except IntegrityError:
            taken = f"There is an API key {name!r} already; nothing was made."
            self.answer({"error": taken}, taken)
            return command.WRONG
        self.answer({"name": name, "key": text}, text)
        return 0
