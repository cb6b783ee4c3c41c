"""The form of the log-in page: `username`, `password` and `next`, as Django's admin has it."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm
from unfold.widgets import BASE_INPUT_CLASSES

from leadscoring.log_in import events


class LogInForm(LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
            field.widget.attrs["class"] = " ".join(BASE_INPUT_CLASSES)
        self.fields["login"].widget.attrs["autofocus"] = ""

    def add_prefix(self, field_name: str) -> str:
        """Name allauth's field as other programs that log in know it."""
        return "username" if field_name == "login" else super().add_prefix(field_name)

    def clean(self) -> Any:
        cleaned = super().clean()
        if self.user is not None and not self.user.is_staff:
            events.record("refused", self.user, self.request)
            raise get_adapter().validation_error("username_password_mismatch")
        return cleaned
