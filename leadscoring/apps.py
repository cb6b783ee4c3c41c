from django.apps import AppConfig


class LeadScoringConfig(AppConfig):
    name = "leadscoring"
    verbose_name = "Leads and scores"
