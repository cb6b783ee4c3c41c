"""What follows when somebody's password is changed, by whatever way."""

from typing import Any

from leadscoring.log_in import events, sessions


class ChangeWatcher:
    """Not a rule for passwords: Django tells its validators of each password that was changed."""

    def validate(self, password: str, user: Any = None) -> None:
        pass

    def get_help_text(self) -> str:
        return ""

    def password_changed(self, password: str, user: Any = None) -> None:
        if user is not None:
            events.record("password_changed", user)
            sessions.end_others(user)
