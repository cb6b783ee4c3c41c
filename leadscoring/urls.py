"""Addresses. The upper apps are named by string only, so that imports still point down."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from leadscoring.api.routes import api
from leadscoring.operations.static_version import current_file

admin.autodiscover()
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include("sequences.urls")),
    path("webhooks/", include("crm_sync.urls")),
    path("favicon.ico", RedirectView.as_view(url=static("favicon.svg")), name="favicon"),
    path("static/<slug:version>/<path:name>", current_file, name="static_of_another_release"),
]
