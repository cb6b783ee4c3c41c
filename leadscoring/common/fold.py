"""Text as a search compares it."""

from django.db.models import Func, TextField


class Fold(Func):
    """A text in lower case and without accents; the database's function of migration 0010."""

    function = "leadscoring_fold"
    output_field = TextField()
