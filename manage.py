#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["demo"]:
        # The demo makes its own servers and settings, so it begins before Django reads any.
        try:
            from sandbox.demo.story import main
        except ModuleNotFoundError as missing:
            sys.exit(f"The demo runs from a checkout with requirements-dev.txt: no {missing.name}.")

        sys.exit(main(sys.argv[2:]))

    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadscoring.settings")
    execute_from_command_line(sys.argv)
