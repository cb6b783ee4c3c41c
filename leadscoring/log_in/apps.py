from allauth.usersessions.apps import UserSessionsConfig as AllauthUserSessionsConfig


class UserSessionsConfig(AllauthUserSessionsConfig):
    """allauth's table of sessions, filled at every log-in and not only at those by its own form."""

    def ready(self) -> None:
        pass
