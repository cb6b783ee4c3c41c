from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LeadScoringConfig(AppConfig):
    name = "leadscoring"
    verbose_name = "Leads"

    def ready(self) -> None:
        from leadscoring import extensions
        from leadscoring.initial_data import make_starting_rows
        from leadscoring.log_in import receivers
        from leadscoring.operations import frozen_transactions
        from leadscoring.operations.source_problems import silence_problems

        receivers.connect()
        frozen_transactions.install()
        extensions.problem_sources.add("sources", silence_problems)
        post_migrate.connect(make_starting_rows, dispatch_uid="starting_rows")
