from django.conf import settings
from django.urls import path

from crm_sync import lead_page, webhooks

urlpatterns = [
    path(f"webhooks/{settings.CRM}", webhooks.receive_webhook, name="webhooks"),
    path("lead/<int:contact_id>/<str:token>/", lead_page.show_lead, name="lead"),
]
