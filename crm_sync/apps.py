from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save


class CrmSyncConfig(AppConfig):
    name = "crm_sync"
    verbose_name = "Sales and the CRM"

    def ready(self) -> None:
        from crm_sync import metrics, problems, receivers, setup
        from crm_sync.models import Handoff
        from crm_sync.problems import people
        from leadscoring import health, signals

        signals.threshold_crossed.connect(receivers.write_handoffs, dispatch_uid="write_handoffs")
        signals.contacts_joined.connect(receivers.take_over, dispatch_uid="join_handoffs")
        signals.contact_erased.connect(receivers.forget, dispatch_uid="forget_handoffs")
        signals.contact_described.connect(receivers.describe, dispatch_uid="describe_handoffs")
        health.add_check(problems.crm_access)
        health.register(metrics.LedgerFigures())
        signals.problems_wanted.connect(problems.tell, dispatch_uid="crm_problems")
        signals.problems_wanted.connect(people.tell, dispatch_uid="crm_people_problems")
        post_save.connect(receivers.ring_on_commit, sender=Handoff, dispatch_uid="ring_on_commit")
        post_migrate.connect(setup.make_first_mappings, sender=self, dispatch_uid="first_mappings")
        post_migrate.connect(setup.make_first_refusals, sender=self, dispatch_uid="first_refusals")
        post_migrate.connect(setup.make_first_rules, sender=self, dispatch_uid="first_rules")
