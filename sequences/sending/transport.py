"""Hand one message to the mail server, and classify the outcome.

An answer of the server is certain: it says whether the message was taken. A connection that breaks
after the message began to leave says nothing.
"""

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import MessageError

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from leadscoring.common.text import bounded_line


@dataclass(frozen=True, slots=True)
class Sent:
    """The mail server took it."""


@dataclass(frozen=True, slots=True)
class RetryLater:
    """It did not leave; the server wants it tried again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """It did not leave and never will as it is. `bounced`: the address is to blame."""

    reason: str
    bounced: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """It is not known whether it left."""

    reason: str


Outcome = Sent | RetryLater | Rejected | OutcomeUnknown

# A mailbox that is not there, by RFC 3463. 5.7 is policy (such as relaying denied: our set-up is
# to blame), 5.2.2 a full mailbox, 5.3 to 5.6 the servers between: none of them the address's fault.
NO_SUCH_MAILBOX = re.compile(r"5\.(1\.\d+|2\.[01])\b")
# The server itself is full, closing or set up wrongly: it says so of every mail (RFC 5321 for 421,
# RFC 3463 for the others). 4.3.0 may also be about one message.
SERVER_AWAY = re.compile(r"4\.3\.[125]\b")
# RFC 3463: too big for the mailbox, or for the system.
MESSAGE_TOO_BIG = re.compile(r"5\.(2\.3|3\.4)\b")
ENHANCED = re.compile(r"[245]\.\d+\.\d+\b")


class MailServerAway(Exception):
    """No mail at all can be sent at present. The message at hand, if any, did not leave."""


class MailTransport:
    """A mail server, over one connection for many messages."""

    def __init__(self, backend: BaseEmailBackend) -> None:
        self.backend = backend

    def ready(self) -> None:
        """Make sure of the connection before a mail is claimed; raise MailServerAway.

        A server may have closed an idle connection: found out here it costs nothing, found out
        in the middle of a message it would be unclear.
        """
        smtp = getattr(self.backend, "connection", None)
        try:
            if isinstance(smtp, smtplib.SMTP) and not _smtp_replies(smtp):
                self.backend.close()
            self.backend.open()
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerAway(
                f"The mail server cannot be used: {_error_sentence(error)}"
            ) from error

    def send(self, message: EmailMessage) -> Outcome:
        """Hand over one message. Raise MailServerAway when the server takes no mail at present."""
        try:
            self.backend.send_messages([message])
        except smtplib.SMTPRecipientsRefused as error:
            return _recipient_outcome(*next(iter(error.recipients.values())))
        except smtplib.SMTPSenderRefused as error:
            return _sender_outcome(error)
        except smtplib.SMTPAuthenticationError as error:
            raise MailServerAway(f"The mail server refuses us: {_error_sentence(error)}") from error
        except smtplib.SMTPDataError as error:
            _check_server(error.smtp_code, error.smtp_error)
            words = f"The mail server answered {_error_sentence(error)}"
            return RetryLater(words) if error.smtp_code < 500 else Rejected(words)
        except (ValueError, MessageError, smtplib.SMTPNotSupportedError) as error:
            return Rejected(f"The mail cannot be sent: {_error_sentence(error)}")
        except Exception as error:  # whatever a mail provider's backend raises: it may have left
            return OutcomeUnknown(
                f"The connection broke while the mail was leaving: {_error_sentence(error)}"
            )
        return Sent()


def _sender_outcome(error: smtplib.SMTPSenderRefused) -> Outcome:
    """Return the outcome of a message refused at its sender's name, where its size is told too.

    Raise MailServerAway when the refusal is about us and not about the message.
    """
    _check_server(error.smtp_code, error.smtp_error)
    words = _reply_line(error.smtp_error)
    if error.smtp_code == 552 or MESSAGE_TOO_BIG.match(words):
        return Rejected(f"The mail server answered {error.smtp_code} {words}")
    if error.smtp_code == 452:
        return RetryLater(f"The mail server answered {error.smtp_code} {words}")
    raise MailServerAway(f"The mail server refuses us: {_error_sentence(error)}") from error


def _smtp_replies(smtp: smtplib.SMTP) -> bool:
    try:
        return smtp.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def _recipient_outcome(code: int, reply: bytes | str) -> Outcome:
    """Return the outcome of the server's answer about one address."""
    _check_server(code, reply)
    words = _reply_line(reply)
    reason = f"The mail server answered {code} {words}"
    if code < 500:
        return RetryLater(reason)
    return Rejected(reason, bounced=not ENHANCED.match(words) or bool(NO_SUCH_MAILBOX.match(words)))


def _check_server(code: int, reply: bytes | str) -> None:
    """Raise MailServerAway when an answer is about the server, not about the mail at hand."""
    if code == 421 or SERVER_AWAY.match(_reply_line(reply)):
        raise MailServerAway(f"The mail server is away: {code} {_reply_line(reply)}")


def _error_sentence(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_reply_line(error.smtp_error)}"
    return _reply_line(str(error)) or type(error).__name__


def _reply_line(reply: bytes | str) -> str:
    """Return a server's reply as one bounded line."""
    words = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return bounded_line(words, 300)


@contextmanager
def open_transport() -> Iterator[MailTransport]:
    """Yield the configured mail server, connected; raise MailServerAway."""
    office = MailTransport(get_connection())
    try:
        office.ready()
        yield office
    finally:
        office.backend.close()
