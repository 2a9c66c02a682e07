"""Images over HTTP: taken when good, told at the field when not."""

import io
import struct
import zlib
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from marketplace.catalogue.models import Asset, Listing, Revision, RevisionState
from marketplace.core.database import db
from marketplace.identity.models import Role
from tests.factories.listings import make_listing
from tests.factories.people import make_member, make_organization
from tests.journeys.publishing.browser import answers_of

pytestmark = pytest.mark.usefixtures("app")
BASE = "/partner/listings/tides"


@pytest.fixture
def listing(app) -> Listing:
    return make_listing(make_organization("Quayside"), slug="tides")


@pytest.fixture
def editor(sign_in, listing) -> FlaskClient:
    return sign_in(make_member(listing.publisher, Role.EDITOR), listing.publisher)


def picture(width: int, height: int, shade: int = 90, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (shade, 120, 160)).save(out, kind)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of few bytes that says it is 50,000 by 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )


def upload(
    browser: FlaskClient, what: str, data: bytes, name: str = "picture.png", **texts: str
) -> Any:
    field, path = ("logo", "logo") if what == "logo" else ("screenshot", "screenshots")
    # Written out by hand: the test client would spool a large body to a file that it never closes.
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in texts.items()
    ]
    parts.append(
        f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
    )
    body = b"".join([*parts, data, b"\r\n--edge--\r\n"])
    return browser.post(
        f"{BASE}/{path}", data=body, content_type="multipart/form-data; boundary=edge"
    )


def draft() -> dict[str, Any] | None:
    db.session.rollback()
    return db.session.scalar(select(Revision.content).where(Revision.state == RevisionState.DRAFT))


def test_a_logo_is_stored_shown_and_removed(editor: FlaskClient, client: FlaskClient) -> None:
    assert upload(editor, "logo", picture(300, 300)).status_code == 303
    content = draft()
    assert content is not None
    logo = content["logo"]
    assert (logo["width"], logo["height"]) == (300, 300)
    page = editor.get(f"{BASE}/edit/media").text
    assert f"/media/{logo['key']}" in page
    assert client.get(f"/media/{logo['key']}").mimetype == "image/png"
    assert editor.post(f"{BASE}/logo/removal").status_code == 303
    assert (draft() or {})["logo"] is None


def test_the_same_image_is_kept_once(editor: FlaskClient) -> None:
    upload(editor, "logo", picture(300, 300))
    upload(editor, "logo", picture(300, 300))
    assert db.session.scalar(select(func.count()).select_from(Asset)) == 1


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "x.svg", "PNG, JPEG"),
        (b"<svg/>", "innocent.png", "Use a PNG, JPEG or WebP image."),
        (b"<!doctype html><script>alert(1)</script>", "x.png", "Use a PNG, JPEG or WebP image."),
        (b"", "x.png", "The file is empty."),
        (bomb(), "bomb.png", "too many pixels"),
        (picture(300, 300)[:200], "cut.png", "damaged"),
        (picture(300, 300) + bytes(5 * 1024 * 1024), "big.png", "larger than 5 MB"),
        (picture(64, 64), "small.png", "at least 128 by 128"),
        (picture(600, 300), "wide.png", "must be square"),
        (picture(300, 300, kind="GIF"), "x.gif", "PNG, JPEG or WebP"),
    ],
    ids=["svg", "hidden svg", "html", "empty", "bomb", "cut", "big", "small", "wide", "gif"],
)
def test_a_bad_logo_is_told_at_the_field(
    editor: FlaskClient, data: bytes, name: str, message: str
) -> None:
    answer = upload(editor, "logo", data, name)
    assert answer.status_code == 422
    assert message in answer.text
    assert 'id="logo-error"' in answer.text
    assert draft() is None
    assert db.session.scalar(select(func.count()).select_from(Asset)) == 0


def test_no_file_at_all_is_told(editor: FlaskClient) -> None:
    answer = editor.post(f"{BASE}/logo", data={}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "Choose a file first." in answer.text


@pytest.mark.parametrize("what", ["logo", "screenshot"])
def test_thirty_megabytes_are_refused_at_the_field(editor: FlaskClient, what: str) -> None:
    answer = upload(editor, what, bytes(30 * 1024 * 1024), new_alt="Tides of a week")
    assert answer.status_code == 413
    assert "The file is larger than 5 MB. Use a smaller one." in answer.text
    assert f'id="{what}-error"' in answer.text


def test_a_large_upload_by_a_stranger_tells_nothing(client: FlaskClient, listing: Listing) -> None:
    answer = upload(client, "logo", bytes(20 * 1024 * 1024))
    assert answer.status_code in {401, 413}
    assert listing.name not in answer.text


def test_screenshots_are_added_ordered_captioned_and_removed(editor: FlaskClient) -> None:
    for shade, alt in ((10, "First view"), (20, "Second view"), (30, "Third view")):
        added = upload(editor, "screenshot", picture(800, 500, shade), new_alt=alt, new_caption="")
        assert added.status_code == 303

    def alts() -> list[str]:
        return [row["alt"] for row in (draft() or {})["screenshots"]]

    keys = [row["key"] for row in (draft() or {})["screenshots"]]
    editor.post(f"{BASE}/screenshots/order", data={"key": keys[2], "direction": "earlier"})
    assert alts() == ["First view", "Third view", "Second view"]
    editor.post(f"{BASE}/screenshots/order", data={"key": keys[0], "direction": "earlier"})
    editor.post(f"{BASE}/screenshots/order", data={"key": "nothing", "direction": "later"})
    assert alts() == ["First view", "Third view", "Second view"]
    answers = answers_of(editor.get(f"{BASE}/edit/media").text)
    answers |= {"screenshots-1-caption": "The third", "screenshots-1-alt": "Third, now second"}
    assert editor.post(f"{BASE}/edit/media", data=answers).status_code == 303
    assert alts() == ["First view", "Third, now second", "Second view"]
    for _twice in range(2):
        editor.post(f"{BASE}/screenshots/removal", data={"key": keys[0]})
    assert alts() == ["Third, now second", "Second view"]


def test_a_form_cannot_bring_an_image_of_its_own(editor: FlaskClient) -> None:
    upload(editor, "screenshot", picture(800, 500), new_alt="First view")
    before = (draft() or {})["screenshots"]
    answers = answers_of(editor.get(f"{BASE}/edit/media").text)
    answers |= {"screenshots-0-key": "cd/" + "1" * 64 + ".png", "screenshots-0-alt": "Stolen"}
    editor.post(f"{BASE}/edit/media", data=answers)
    assert (draft() or {})["screenshots"] == before


def test_a_screenshot_needs_its_alternative_text_and_keeps_what_was_typed(
    editor: FlaskClient,
) -> None:
    answer = upload(editor, "screenshot", picture(800, 500), new_alt="", new_caption="My caption")
    assert answer.status_code == 422
    assert "Say in 3 to 200 characters" in answer.text
    assert "My caption" in answer.text
    long = upload(editor, "screenshot", picture(800, 500), new_alt="x" * 10_000)
    assert long.status_code == 422
    assert draft() is None


def test_the_same_screenshot_twice_and_a_ninth_are_told(editor: FlaskClient) -> None:
    for shade in range(8):
        upload(editor, "screenshot", picture(800, 500, shade), new_alt=f"View {shade}")
    twice = upload(editor, "screenshot", picture(800, 500, 1), new_alt="Again")
    assert twice.status_code == 422
    assert len((draft() or {})["screenshots"]) == 8
    ninth = upload(editor, "screenshot", picture(800, 500, 99), new_alt="View nine")
    assert ninth.status_code == 422
