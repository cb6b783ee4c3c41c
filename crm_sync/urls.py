from django.conf import settings
from django.urls import path

from crm_sync import webhooks

urlpatterns = [path(settings.CRM, webhooks.receive_webhook, name="webhooks")]
