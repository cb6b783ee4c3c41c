from django.urls import path

from crm_sync import webhooks

urlpatterns = [path("hubspot", webhooks.receive, name="webhooks")]
