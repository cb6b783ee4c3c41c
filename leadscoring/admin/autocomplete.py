"""Django's choice of a row by typing, which every admin offers for every relation: it names people too."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import HttpRequest, HttpResponse

from leadscoring.admin.model_admin import AppModelAdmin


class NotedAutocomplete(AutocompleteJsonView):
    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        if isinstance(self.model_admin, AppModelAdmin):
            self.model_admin.note_shown([obj])
        return super().serialize_result(obj, to_field_name)


def autocomplete(request: HttpRequest) -> HttpResponse:
    return cast(HttpResponse, NotedAutocomplete.as_view(admin_site=admin.site)(request))


admin.site.autocomplete_view = autocomplete  # type: ignore[method-assign]  # Django's way to replace it is another site
