from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class LeadScoringConfig(AppConfig):
    name = "leadscoring"
    verbose_name = "Leads"

    def ready(self) -> None:
        from leadscoring.initial_data import make_starting_rows
        from leadscoring.operations import sessions

        user_logged_in.connect(sessions.note_login, dispatch_uid="note_login")
        post_migrate.connect(make_starting_rows, dispatch_uid="starting_rows")
