"""Addresses. The upper apps are named by string only, so that imports still point down."""

from django.contrib import admin
from django.http import Http404
from django.templatetags.static import static
from django.urls import include, path
from django.views.defaults import page_not_found
from django.views.generic import RedirectView

from leadscoring.api.routes import api
from leadscoring.api.segment import source_config
from leadscoring.operations.static_version import current_file

admin.autodiscover()
# Second factors and sessions: nobody reads or edits those of others.
for model in [model for model in admin.site._registry if model.__module__.startswith("allauth.")]:
    admin.site.unregister(model)
handler429 = "leadscoring.log_in.refusals.too_many_tries"  # allauth's
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    # unfold's search of pages is off, as its template is (templates/unfold/helpers/command.html).
    path("admin/search/", page_not_found, {"exception": Http404()}),
    path("admin/time-zone/", include("leadscoring.admin.time_zone")),
    path("admin/", include("leadscoring.log_in.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("v1/", include("leadscoring.api.segment")),
    path("forms/", include("leadscoring.api.forms")),
    path("hooks/", include("leadscoring.api.hooks")),
    path("sourceConfig/", source_config, name="source_config"),
    path("", include("leadscoring.api.website")),
    path("", include("sequences.urls")),
    path("", include("crm_sync.urls")),
    path("favicon.ico", RedirectView.as_view(url=static("favicon.svg")), name="favicon"),
    path("static/<slug:version>/<path:name>", current_file, name="static_of_another_release"),
]
