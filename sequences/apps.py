from django.apps import AppConfig


class SequencesConfig(AppConfig):
    name = "sequences"
    verbose_name = "Sequences"

    def ready(self) -> None:
        from anymail.signals import tracking
        from django.db.models.signals import post_migrate
        from django.utils.timezone import now

        from leadscoring import extensions, signals
        from sequences import receivers
        from sequences.contact_summary import mails_sent, summarize_enrollments
        from sequences.problems import mail_problems
        from sequences.suppression import unify_suppressions
        from sequences.suppression_file import suppression_rows
        from sequences.tracking import provider_events

        def after_migrations(**kwargs: object) -> None:
            unify_suppressions(now())

        post_migrate.connect(after_migrations, sender=self, weak=False, dispatch_uid="suppressions")
        signals.people_scored.connect(receivers.on_people_scored)
        signals.crm_state_changed.connect(receivers.on_crm_state_changed)
        signals.with_sales_changed.connect(receivers.on_with_sales_changed)
        signals.contacts_merged.connect(receivers.on_contacts_merged)
        signals.addresses_changed.connect(receivers.on_addresses_changed)
        signals.no_mail_asked.connect(receivers.on_no_mail_asked)
        signals.no_mail_taken_back.connect(receivers.on_no_mail_taken_back)
        signals.contact_erased.connect(receivers.on_contact_erased)
        extensions.contact_details.add("enrollments", summarize_enrollments)
        extensions.contact_ties.add("mails", mails_sent)
        extensions.file_kinds.add("no_mail", suppression_rows)
        extensions.problem_sources.add("mail", mail_problems)
        tracking.connect(provider_events.on_provider_event)
