"""Mail: queued as a job in the transaction that causes it, sent after the commit.

Backends: `console` (logs it), `file` (an .eml file a message in the data folder) and `smtp`.
"""

import logging
import smtplib
import ssl
import uuid
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Protocol

from marketplace.core import clock
from marketplace.core.jobs import Payload, enqueue, job_handler

log = logging.getLogger(__name__)
JOB_KIND = "mail.send"
TIMEOUT_SECONDS = 20


class MailBackend(Protocol):
    """Takes a finished message."""

    def send(self, message: EmailMessage) -> None:
        """Hand the message on, or raise."""


class ConsoleBackend:
    """Logs that a message was sent, without its body (it may hold a link with a token)."""

    def send(self, message: EmailMessage) -> None:
        log.info("mail", extra={"subject": str(message["Subject"])})


class FileBackend:
    """Writes each message to a folder, to be read by a developer or a test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        stamp = clock.now().strftime("%Y%m%d-%H%M%S-%f")
        path = self._folder / f"{stamp}-{uuid.uuid4().hex[:6]}.eml"
        path.write_bytes(bytes(message))


class SmtpBackend:
    """Sends through an SMTP server, with STARTTLS or TLS."""

    def __init__(
        self, host: str, port: int, tls: str, username: str | None, password: str | None
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._username, self._password = username, password

    def send(self, message: EmailMessage) -> None:
        context = ssl.create_default_context()
        server = (
            smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_SECONDS, context=context)
            if self._tls == "tls"
            else smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)
        )
        with server:
            if self._tls == "starttls":
                server.starttls(context=context)
            if self._username is not None:
                server.login(self._username, self._password or "")
            server.send_message(message)


_configured: list[tuple[MailBackend, str]] = []


def configure_mail(backend: MailBackend, sender: str) -> None:
    """Choose how this process sends, and the From address."""
    _configured[:] = [(backend, sender)]


def send_mail(to: str, subject: str, body: str, *, dedupe_key: str | None = None) -> None:
    """Queue a plain-text message in the current transaction. `body` ends with its own greeting."""
    enqueue(
        JOB_KIND,
        {
            "to": to,
            "subject": " ".join(subject.split())[:200],
            "body": body,
            "message_id": make_msgid(domain="portico.invalid"),
        },
        dedupe_key=f"mail:{dedupe_key}" if dedupe_key else None,
    )


@job_handler(JOB_KIND)
def _send(payload: Payload) -> None:
    backend, sender = _configured[0]
    message = EmailMessage()
    message["From"] = sender
    message["To"] = payload["to"]
    message["Subject"] = payload["subject"]
    # The same id on a repeat lets the receiver's server drop the second copy.
    message["Message-ID"] = payload["message_id"]
    message["Date"] = formatdate(clock.now().timestamp())
    message.set_content(payload["body"])
    backend.send(message)
