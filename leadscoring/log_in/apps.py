from allauth.socialaccount.apps import SocialAccountConfig as AllauthSocialAccountConfig
from allauth.usersessions.apps import UserSessionsConfig as AllauthUserSessionsConfig


class UserSessionsConfig(AllauthUserSessionsConfig):
    """allauth's table of sessions, filled at every log-in and not only at those by its own form."""

    def ready(self) -> None:
        pass


class SocialAccountConfig(AllauthSocialAccountConfig):
    """Loads what speaks with the company's log-in when somebody uses it: workers do without."""

    def ready(self) -> None:
        pass
