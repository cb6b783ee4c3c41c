"""SMTP with a time limit for each phase.

A server may think for minutes about a message that it was given whole, and for seconds about anything
else. Who gives up too early does not know whether the message left.
https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.2
"""

import smtplib
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

# Seconds. The RFC grants ten minutes after the end of a message; a task may not run so long.
AFTER_THE_MESSAGE = 150.0


class _Patient:
    """Wait longer for the answer to a whole message."""

    sock: Any

    def data(self, message: Any) -> tuple[int, bytes]:
        usual = self.sock.gettimeout()
        self.sock.settimeout(AFTER_THE_MESSAGE)
        try:
            return super().data(message)  # type: ignore[misc,no-any-return]  # of smtplib.SMTP
        finally:
            if self.sock:
                self.sock.settimeout(usual)


class PatientSMTP(_Patient, smtplib.SMTP): ...


class PatientSMTPSSL(_Patient, smtplib.SMTP_SSL): ...


class PatientEmailBackend(EmailBackend):
    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return PatientSMTPSSL if self.use_ssl else PatientSMTP
