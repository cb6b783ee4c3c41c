"""The CRM's stand-in, its adapter and a mail server, for whoever asks for them."""

from tests.crm_sync.conftest import crm, no_pace, there
from tests.sequences.conftest import mail_server

__all__ = ["crm", "mail_server", "no_pace", "there"]
