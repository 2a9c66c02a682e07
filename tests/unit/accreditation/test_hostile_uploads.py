"""Files that partners upload are hostile until looked at."""

import io

import pytest
from PIL import Image

from marketplace.accreditation.uploads import MOST_BYTES, FileRefusedError, clean_file

PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"


def picture(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "kept_as", "content_type"),
    [
        ("register.pdf", PDF, "register.pdf", "application/pdf"),
        ("../../etc/passwd", PDF, "passwd.pdf", "application/pdf"),
        ('a"; x=.html', PDF, "a-x.pdf", "application/pdf"),
        ("C:\\docs\\scan.PNG", picture(), "scan.png", "image/png"),
        ("lies.pdf", picture("JPEG"), "lies.jpg", "image/jpeg"),
        ("", PDF, "file.pdf", "application/pdf"),
        ("\x00\r\n", PDF, "file.pdf", "application/pdf"),
    ],
)
def test_a_file_is_named_and_typed_by_what_it_is(
    name: str, data: bytes, kept_as: str, content_type: str
) -> None:
    clean = clean_file(name, data)
    assert (clean.name, clean.content_type) == (kept_as, content_type)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"MZ\x90\x00",
        b"PK\x03\x04 a zip",
        b"%PDF-1.7 without an end",
        PDF.replace(b"/Catalog", b"/Catalog /OpenAction << /S /JavaScript /JS (x) >>"),
        PDF.replace(b"/Catalog", b"/Catalog /Launch"),
        PDF.replace(b"/Catalog", b"/EmbeddedFile"),
        b"x" + PDF,
        PDF + b"0" * MOST_BYTES,
        picture("WEBP"),
        picture("GIF"),
        b"\x89PNG\r\n\x1a\n broken",
    ],
)
def test_what_is_no_plain_document_is_refused(data: bytes) -> None:
    with pytest.raises(FileRefusedError):
        clean_file("file.pdf", data)


def test_a_picture_is_written_anew_without_what_was_hidden_in_it() -> None:
    clean = clean_file("scan.png", picture() + b"<script>alert(1)</script>")
    assert b"script" not in clean.data
