"""The demo's mailbox, and somebody new at its sign-in provider."""

from email.message import EmailMessage
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from marketplace.demo.oidc_provider import Client, Provider, RequestRefusedError, build_app
from marketplace.demo.people import DemoPerson

ADA = DemoPerson("ada", "Ada Okafor", "ada@quayside.example", "quayside", "owner")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    message = EmailMessage()
    message["To"], message["Subject"] = "ada@quayside.example", "<b>Welcome</b>"
    message["Date"] = "Sun, 29 Nov 2026 06:00:00 +0000"
    message.set_content("Open http://127.0.0.1:8000/join/status/abc.\n<script>alert(1)</script>\n")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a b.pdf")
    (tmp_path / "20261129-1.eml").write_bytes(bytes(message))
    (tmp_path / "secret.txt").write_text("no mail")
    return tmp_path


@pytest.fixture
def provider() -> Provider:
    return Provider("http://127.0.0.1:1", (ADA,), Client("portico", "x", ()))


@pytest.fixture
def browser(folder: Path, provider: Provider) -> FlaskClient:
    return build_app(provider, mail_folder=folder).test_client()


def test_mail_is_listed_and_filtered_by_whom_it_went_to(browser: FlaskClient) -> None:
    page = browser.get("/mail").text
    assert "&lt;b&gt;Welcome&lt;/b&gt;" in page
    assert "Welcome" in browser.get("/mail?to=ADA@").text
    assert "No mail yet" in browser.get("/mail?to=ben").text


def test_a_message_is_text_with_links_and_its_files(browser: FlaskClient) -> None:
    page = browser.get("/mail/20261129-1.eml")
    assert '<a href="http://127.0.0.1:8000/join/status/abc">' in page.text
    assert "&lt;script&gt;" in page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    file = browser.get("/mail/20261129-1.eml/files/0")
    assert file.data == b"%PDF"
    assert file.headers["Content-Disposition"] == 'attachment; filename="a_b.pdf"'


@pytest.mark.parametrize(
    "path",
    ["/mail/secret.txt", "/mail/..%2fx.eml", "/mail/none.eml", "/mail/20261129-1.eml/files/1"],
)
def test_nothing_else_of_the_folder_is_served(browser: FlaskClient, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_without_a_folder_there_is_no_mailbox(provider: Provider) -> None:
    assert build_app(provider).test_client().get("/mail").status_code == 404


def test_somebody_new_has_one_subject_for_an_address(provider: Provider) -> None:
    first = provider.add_newcomer("  Ben   Ruiz ", "Ben@Kite.example")
    assert provider.add_newcomer("Ben", "ben@kite.example") == first
    person = provider.person(first)
    assert person is not None
    assert person.email == "ben@kite.example"


def test_the_address_of_a_listed_person_is_that_person(provider: Provider) -> None:
    assert provider.add_newcomer("Eve", ADA.email) == ADA.subject
    assert provider.person(ADA.subject) == ADA


@pytest.mark.parametrize(("name", "address"), [("", "a@b.example"), ("A", "no"), ("A", "a b@c.de")])
def test_a_newcomer_without_name_or_address_is_refused(
    provider: Provider, name: str, address: str
) -> None:
    with pytest.raises(RequestRefusedError):
        provider.add_newcomer(name, address)
