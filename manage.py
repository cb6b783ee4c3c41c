#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["demo"]:
        # The demo makes its own servers and settings, so it begins before Django reads any.
        from crm_sync.demo.story import main

        sys.exit(main(sys.argv[2:]))

    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadscoring.settings")
    execute_from_command_line(sys.argv)
