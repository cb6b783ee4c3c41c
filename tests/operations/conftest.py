"""The CRM's stand-in, its adapter and a mail server, for whoever asks for them."""

from tests.crm_sync.conftest import account_set_up, crm, there
from tests.sequences.conftest import mail_server

__all__ = ["account_set_up", "crm", "mail_server", "there"]
