from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save


class CrmSyncConfig(AppConfig):
    name = "crm_sync"
    verbose_name = "Sales and CRM"

    def ready(self) -> None:
        from crm_sync import initial_data, metrics, receivers, with_sales
        from crm_sync.connect import crm_name
        from crm_sync.models import Handoff
        from crm_sync.problems import current, people
        from leadscoring import extensions, signals

        signals.threshold_crossed.connect(receivers.write_handoffs, dispatch_uid="write_handoffs")
        signals.contacts_merged.connect(receivers.move_handoffs, dispatch_uid="merge_handoffs")
        signals.contact_erased.connect(receivers.delete_handoffs, dispatch_uid="delete_handoffs")
        extensions.crm_names.add("crm", crm_name)
        extensions.contact_details.add("handoffs", receivers.contact_handoffs)
        extensions.contact_ties.add("handoffs", receivers.handed_off)
        extensions.contact_ties.add("record", receivers.linked)
        extensions.with_sales.add("handoffs", with_sales.with_sales_since)
        extensions.readiness_checks.add("crm_state", current.check_crm_state)
        extensions.readiness_checks.add("crm_access", current.check_crm_access)
        extensions.metric_sources.add("ledger", metrics.ledger_metrics)
        extensions.problem_sources.add("crm", current.crm_problems)
        extensions.problem_sources.add("people", people.people_problems)
        post_save.connect(receivers.wake_on_commit, sender=Handoff, dispatch_uid="ring_on_commit")
        post_migrate.connect(
            initial_data.make_first_mappings, sender=self, dispatch_uid="first_mappings"
        )
        post_migrate.connect(
            initial_data.make_first_refusals, sender=self, dispatch_uid="first_refusals"
        )
        post_migrate.connect(initial_data.make_first_rules, sender=self, dispatch_uid="first_rules")
