"""One message to the mail server, and what became of it.

What is certain is told apart from what is not: an answer of the server says whether the message
was taken; a connection that breaks after the message began to leave says nothing.
"""

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import MessageError

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend


@dataclass(frozen=True, slots=True)
class Left:
    """The mail server took it."""


@dataclass(frozen=True, slots=True)
class Later:
    """It did not leave; the server wants it tried again."""

    because: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not leave and never will as it is. `bounced`: the address is to blame."""

    because: str
    bounced: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody knows whether it left."""

    because: str


Outcome = Left | Later | Refused | Unclear

# A mailbox that is not there, by RFC 3463. 5.7 is policy (such as relaying denied: our set-up is
# to blame), 5.2.2 a full mailbox, 5.3 to 5.6 the servers between: none of them the address's fault.
NO_SUCH_MAILBOX = re.compile(r"5\.(1\.\d+|2\.[01])\b")
ENHANCED = re.compile(r"[245]\.\d+\.\d+\b")


class MailServerAway(Exception):
    """No mail can be sent at present, to anybody. The message at hand, if any, did not leave."""


class PostOffice:
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
            if isinstance(smtp, smtplib.SMTP) and not answers(smtp):
                self.backend.close()
            self.backend.open()
        except (smtplib.SMTPException, OSError) as error:
            raise MailServerAway(f"The mail server cannot be used: {in_words(error)}") from error

    def send(self, message: EmailMessage) -> Outcome:
        """Hand over one message. Raises MailServerAway when the server refuses the sender."""
        try:
            self.backend.send_messages([message])
        except smtplib.SMTPRecipientsRefused as error:
            return of_recipient(*next(iter(error.recipients.values())))
        except (smtplib.SMTPSenderRefused, smtplib.SMTPAuthenticationError) as error:
            raise MailServerAway(f"The mail server refuses us: {in_words(error)}") from error
        except smtplib.SMTPDataError as error:
            words = f"The mail server answered {in_words(error)}"
            return Later(words) if error.smtp_code < 500 else Refused(words)
        except (ValueError, MessageError, smtplib.SMTPNotSupportedError) as error:
            return Refused(f"The mail cannot be sent: {in_words(error)}")
        except Exception as error:  # whatever a mail provider's backend raises: it may have left
            return Unclear(f"The connection broke while the mail was leaving: {in_words(error)}")
        return Left()


def answers(smtp: smtplib.SMTP) -> bool:
    try:
        return smtp.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def of_recipient(code: int, reply: bytes | str) -> Outcome:
    """The server's answer about one address."""
    words = text(reply)
    because = f"The mail server answered {code} {words}"
    if code < 500:
        return Later(because)
    return Refused(because, bounced=not ENHANCED.match(words) or bool(NO_SUCH_MAILBOX.match(words)))


def in_words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {text(error.smtp_error)}"
    return text(str(error)) or type(error).__name__


def text(reply: bytes | str) -> str:
    """A server's words in one bounded line."""
    words = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:300]


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """The configured mail server, connected; raises MailServerAway."""
    office = PostOffice(get_connection())
    try:
        office.ready()
        yield office
    finally:
        office.backend.close()
