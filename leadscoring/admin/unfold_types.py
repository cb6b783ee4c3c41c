"""unfold's classes with the types that they do not ship: they are Django's with another look."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ModelAdmin
    from django.contrib.admin import RelatedFieldListFilter as RelatedFilter
    from django.contrib.admin import SimpleListFilter as DropdownFilter
    from django.contrib.admin import StackedInline as Inline
    from django.contrib.admin.views.main import ChangeList as ChangeList
    from django.contrib.admin.widgets import AdminTextareaWidget as TextArea
    from django.contrib.admin.widgets import AdminTextInputWidget as TextInput
    from django.core.paginator import Paginator as Paginator
    from django.forms import BaseInlineFormSet as InlineFormSet
    from django.forms import CheckboxSelectMultiple as Checkboxes
    from django.forms import ModelForm as ModelForm
    from django.forms import Select as Select
else:
    from django import forms
    from django.core import paginator
    from unfold import admin as unfold
    from unfold.contrib.filters.admin import DropdownFilter
    from unfold.contrib.filters.admin import RelatedDropdownFilter as RelatedFilter
    from unfold.views import ChangeList
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Checkboxes
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as TextArea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

    class Typed:
        """Lets a class be written with the model that it is for, which only type checkers read."""

        def __class_getitem__(cls, model):
            return cls

    # What fills in one field from another.
    PREPOPULATING = {
        "admin/js/urlify.js",
        "admin/js/prepopulate.js",
        "admin/js/vendor/xregexp/xregexp.js",
        "admin/js/vendor/xregexp/xregexp.min.js",
    }

    class ModelAdmin(Typed, unfold.ModelAdmin):
        @property
        def media(self):
            """Leave out what only forms with prepopulated fields need, a third of Django's scripts."""
            media = super().media
            if self.prepopulated_fields:
                return media
            scripts = [script for script in media._js if script not in PREPOPULATING]
            return forms.Media(css=media._css, js=scripts)

    class Inline(Typed, unfold.StackedInline):
        pass

    class ModelForm(Typed, forms.ModelForm):
        pass

    class InlineFormSet(Typed, forms.BaseInlineFormSet):
        pass

    class Paginator(Typed, paginator.Paginator):
        pass


__all__ = [
    "ChangeList",
    "Checkboxes",
    "DropdownFilter",
    "Inline",
    "InlineFormSet",
    "ModelAdmin",
    "ModelForm",
    "Paginator",
    "RelatedFilter",
    "Select",
    "TextArea",
    "TextInput",
]
