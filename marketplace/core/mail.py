"""Mail: queued as a job in the transaction that causes it, sent after the commit.

Backends: `console` (logs it), `file` (an .eml file a message in the data folder) and `smtp`.
"""

import base64
import logging
import smtplib
import ssl
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid, parseaddr
from pathlib import Path
from typing import Protocol

from marketplace.core import clock
from marketplace.core.branding import brand_of_reader, in_the_words_of
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


@contextmanager
def mail_sent_by(backend: MailBackend) -> Iterator[None]:
    """Send by another backend within the block."""
    before = list(_configured)
    _configured[:] = [(backend, sender) for _, sender in before]
    try:
        yield
    finally:
        _configured[:] = before


@dataclass(frozen=True)
class Attachment:
    """A small file beside a message. `media_type` may carry parameters, such as
    `text/calendar; method=REQUEST`."""

    name: str
    media_type: str
    data: bytes


def send_mail(
    to: str,
    subject: str,
    body: str,
    *,
    dedupe_key: str | None = None,
    attachments: Sequence[Attachment] = (),
) -> None:
    """Queue a plain-text message in the current transaction. `body` ends with its own greeting.

    Somebody who came by a white-label partner is written to under that partner's name.
    """
    brand = brand_of_reader(to)
    if brand is not None:
        subject, body = in_the_words_of(brand, subject), in_the_words_of(brand, body)
    payload: Payload = {
        "to": to,
        "subject": " ".join(subject.split())[:200],
        "body": body,
        "message_id": make_msgid(domain=brand.host if brand else "portico.invalid"),
    }
    if brand is not None:
        payload["from_name"], payload["from_address"] = brand.name, brand.sender
    if attachments:
        payload["attachments"] = [
            [each.name, each.media_type, base64.b64encode(each.data).decode()]
            for each in attachments
        ]
    enqueue(JOB_KIND, payload, dedupe_key=f"mail:{dedupe_key}" if dedupe_key else None)


def _sender(configured: str, payload: Payload) -> str:
    """Who a message is from: the site, or a brand (with its own address where it has one)."""
    name = str(payload.get("from_name", ""))
    if not name:
        return configured
    address = str(payload.get("from_address", "")) or parseaddr(configured)[1]
    return formataddr((name, address))


@job_handler(JOB_KIND)
def _send(payload: Payload) -> None:
    backend, sender = _configured[0]
    message = EmailMessage()
    message["From"] = _sender(sender, payload)
    message["To"] = payload["to"]
    message["Subject"] = payload["subject"]
    # The same id on a repeat lets the receiver's server drop the second copy.
    message["Message-ID"] = payload["message_id"]
    message["Date"] = formatdate(clock.now().timestamp())
    message.set_content(payload["body"])
    for name, media_type, data in payload.get("attachments", []):
        kind, *parameters = (part.strip() for part in media_type.split(";"))
        main, _, sub = kind.partition("/")
        message.add_attachment(
            base64.b64decode(data),
            maintype=main,
            subtype=sub,
            filename=name,
            params=dict(each.split("=", 1) for each in parameters),
        )
    backend.send(message)
