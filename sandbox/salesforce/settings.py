"""The dials of Salesforce's stand-in: what a test or a person may turn while it runs."""

from dataclasses import dataclass

from ..server.settings import WebhookSettings


@dataclass(kw_only=True)
class Settings(WebhookSettings):
    """Times in seconds. A limit of 0 is no limit.

    What Salesforce does is not known of each of the last group: a client must get along with both.
    """

    client_id: str
    client_secret: str
    token_seconds: float = 7_200.0  # a token that is not used so long has expired
    logins_an_hour: int = 3_600
    flow_has_user: bool = True  # the app's execution user is chosen
    api_enabled: bool = True
    daily: int = 100_000  # calls of all, in 24 hours
    day_used_up: bool = False
    most_rows: int = 2_000  # on one page of a query
    clock_ahead: float = 0.0  # of this machine's

    value_spoils_all: bool = True  # a value of a wrong type refuses all rows of a collection
    column_spoils_all: bool = True  # so does the name of a field that is not there
    trims: bool = True  # texts lose spaces at both ends
    lowers_emails: bool = False
    bin_holds_values: bool = False  # a unique value of a deleted record is still taken
    same_values_stamp: bool = True  # a write that changes nothing moves SystemModstamp
    open_tasks_touch: bool = False  # an open task moves the SystemModstamp of the person it is for
    roles_touch_deals: bool = False  # a contact role moves the SystemModstamp of its deal
