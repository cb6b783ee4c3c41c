"""Addresses. The upper apps are named by string only, so that imports still point down."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from leadscoring.api.routes import api

admin.autodiscover()
# Second factors and sessions: nobody reads or edits those of others.
for model in [model for model in admin.site._registry if model.__module__.startswith("allauth.")]:
    admin.site.unregister(model)
handler429 = "leadscoring.log_in.refusals.too_many_tries"  # allauth's
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", include("leadscoring.log_in.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include("sequences.urls")),
    path("webhooks/", include("crm_sync.urls")),
    path("favicon.ico", RedirectView.as_view(url="/static/favicon.svg"), name="favicon"),
]
