"""A real mail server on loopback, which takes what it is sent and can be told to refuse."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pytest_django import Settings

logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells of every connection


@dataclass
class MailServer:
    """`sender`, `recipient`, `data`: what it answers at each question; empty: it takes it.

    `hangs_up`: it takes the message and breaks the connection without a word. `thinks`: seconds
    before it answers to a message that it has whole.
    """

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    sender: str = ""
    senders: list[str] = field(default_factory=list)  # of the next ones, then it takes them
    recipient: str = ""
    data: str = ""
    hangs_up: bool = False
    thinks: float = 0.0

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        envelope.mail_from = address
        return self.sender or (self.senders.pop() if self.senders else "250 OK")

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if not self.recipient:
            envelope.rcpt_tos.append(address)
        return self.recipient or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data:
            return self.data
        await asyncio.sleep(self.thinks)
        self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.hangs_up:
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    server = MailServer(port=free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    settings.EMAIL_BACKEND = "sequences.sending.smtp.PatientEmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    controller.stop()


@pytest.fixture
def no_mail_server(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "sequences.sending.smtp.PatientEmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
