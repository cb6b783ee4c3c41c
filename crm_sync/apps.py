from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save


class CrmSyncConfig(AppConfig):
    name = "crm_sync"
    verbose_name = "Sales and the CRM"

    def ready(self) -> None:
        from crm_sync import initial_data, metrics, receivers
        from crm_sync.models import Handoff
        from crm_sync.problems import current, people
        from leadscoring import signals
        from leadscoring.operations import health

        signals.threshold_crossed.connect(receivers.write_handoffs, dispatch_uid="write_handoffs")
        signals.contacts_joined.connect(receivers.move_handoffs, dispatch_uid="join_handoffs")
        signals.contact_erased.connect(receivers.anonymize_handoffs, dispatch_uid="forget_handoffs")
        signals.contact_described.connect(
            receivers.describe_crm_side, dispatch_uid="describe_handoffs"
        )
        health.add_check(current.check_crm_state)
        health.add_check(current.check_crm_access)
        health.register_collector(metrics.LedgerFigures())
        signals.problems_wanted.connect(current.collect_crm_problems, dispatch_uid="crm_problems")
        signals.problems_wanted.connect(
            people.collect_people_problems, dispatch_uid="crm_people_problems"
        )
        post_save.connect(receivers.wake_on_commit, sender=Handoff, dispatch_uid="ring_on_commit")
        post_migrate.connect(
            initial_data.make_first_mappings, sender=self, dispatch_uid="first_mappings"
        )
        post_migrate.connect(
            initial_data.make_first_refusals, sender=self, dispatch_uid="first_refusals"
        )
        post_migrate.connect(initial_data.make_first_rules, sender=self, dispatch_uid="first_rules")
