"""Mail: queued with its cause, sent after the commit, through each backend."""

import email
import email.policy
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from flask import Flask

from marketplace.core import clock, jobs, mail
from marketplace.core.mail import ConsoleBackend, FileBackend, SmtpBackend, send_mail
from marketplace.core.unit_of_work import unit_of_work


@pytest.fixture(autouse=True)
def keep_backend(app: Flask) -> Iterator[None]:
    before = list(mail._configured)
    yield
    mail._configured[:] = before


class Inbox:
    """Keeps what a real SMTP session delivered; refuses the first `refusals` messages."""

    def __init__(self, refusals: int = 0) -> None:
        self.messages: list[bytes] = []
        self.refusals = refusals

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refusals:
            self.refusals -= 1
            return "451 try again later"
        self.messages.append(envelope.content)  # type: ignore[attr-defined]  # aiosmtpd's envelope
        return "250 OK"


@pytest.fixture
def smtp() -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield inbox, port
    controller.stop()


def test_a_message_is_written_to_a_file(
    app: Flask, tmp_path: Path, run_jobs: Callable[[], int]
) -> None:
    mail.configure_mail(FileBackend(tmp_path), "portico@example.com")
    with unit_of_work():
        send_mail("ada@example.com", "Grüße\r\nBcc: evil@example.com", "Hello Ada")
    assert list(tmp_path.iterdir()) == []
    run_jobs()
    (path,) = tmp_path.iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert message["To"] == "ada@example.com"
    assert message["Bcc"] is None
    assert message["Subject"] == "Grüße Bcc: evil@example.com"


def test_a_message_of_a_rolled_back_transaction_is_never_sent(
    app: Flask, tmp_path: Path, run_jobs: Callable[[], int]
) -> None:
    mail.configure_mail(FileBackend(tmp_path), "portico@example.com")
    with pytest.raises(ValueError, match="no"), unit_of_work():
        send_mail("ada@example.com", "Hello", "Hello Ada")
        raise ValueError("no")
    assert run_jobs() == 0


def test_a_message_goes_through_a_real_smtp_server_and_is_tried_again(
    app: Flask, smtp: tuple[Inbox, int], run_jobs: Callable[[], int]
) -> None:
    inbox, port = smtp
    inbox.refusals = 1
    mail.configure_mail(SmtpBackend("127.0.0.1", port, "none", None, None), "portico@example.com")
    with unit_of_work():
        send_mail("ada@example.com", "Hello", "Hello Ada")
    assert run_jobs() == 0
    assert jobs.counts()["ready"] == 1
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        assert run_jobs() == 1
    assert b"Hello Ada" in inbox.messages[0]


def test_a_dead_mail_server_keeps_the_message(app: Flask, run_jobs: Callable[[], int]) -> None:
    mail.configure_mail(SmtpBackend("127.0.0.1", 1, "none", None, None), "portico@example.com")
    with unit_of_work():
        send_mail("ada@example.com", "Hello", "Hello Ada")
    assert run_jobs() == 0
    assert jobs.counts()["ready"] == 1


def test_the_console_backend_does_not_log_the_body(
    app: Flask, caplog: pytest.LogCaptureFixture, run_jobs: Callable[[], int]
) -> None:
    caplog.set_level("INFO")
    mail.configure_mail(ConsoleBackend(), "portico@example.com")
    with unit_of_work():
        send_mail("ada@example.com", "Join us", "https://x.example/invitations/secret-token")
    run_jobs()
    assert "secret-token" not in caplog.text
    assert any(getattr(record, "subject", "") == "Join us" for record in caplog.records)
