"""The web process's entry point: `gunicorn leadscoring.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from leadscoring.operations import database_timeout

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadscoring.settings")

database_timeout.install()
try:
    application = get_wsgi_application()
except SystemExit as refused:
    # 4 is gunicorn's own code for "the application cannot be loaded": it ends instead of
    # starting workers for ever that stop at the same wrong setting.
    raise SystemExit(4) from refused
