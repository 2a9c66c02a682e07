"""Uploads: only what can be decoded, is bounded and was encoded anew gets in."""

import io
import struct
import zlib

import pytest
from PIL import Image

from marketplace.core.images import LOGO, SCREENSHOT, ImageRefusedError, clean_image


def picture(width: int = 256, height: int = 256, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "#1f6f8b").save(out, form, **options)
    return out.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A tiny PNG file whose header claims a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_the_three_formats_are_taken(form: str) -> None:
    image = clean_image(picture(form=form), LOGO)
    assert (image.width, image.height) == (256, 256)
    assert Image.open(io.BytesIO(image.data)).format == form


def test_the_same_picture_has_the_same_key() -> None:
    assert clean_image(picture(), LOGO).key == clean_image(picture(), LOGO).key


def test_a_large_logo_is_made_smaller() -> None:
    assert clean_image(picture(2000, 2000), LOGO).width == 512


def test_nothing_of_the_upload_but_its_pixels_survives() -> None:
    upload = picture(form="JPEG", comment=b"<script>alert(1)</script>") + b"PK\x03\x04 payload"
    data = clean_image(upload, LOGO).data
    assert b"script" not in data
    assert b"payload" not in data


@pytest.mark.parametrize(
    ("upload", "rule", "said"),
    [
        (b"", LOGO, "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", LOGO, "PNG, JPEG or WebP"),
        (b"GIF89a" + b"\0" * 200, LOGO, "PNG, JPEG or WebP"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, LOGO, "damaged|PNG, JPEG or WebP"),
        (picture()[:200], LOGO, "damaged"),
        (b"\xff" * (5 * 1024 * 1024 + 1), LOGO, "5 MB"),
        (png_that_claims(60_000, 60_000), SCREENSHOT, "too many pixels"),
        (png_that_claims(12_000, 12_000), SCREENSHOT, "too many pixels"),
        (picture(100, 100), LOGO, "at least 128 by 128"),
        (picture(400, 200), LOGO, "square"),
        (picture(300, 300), SCREENSHOT, "at least 640 by 400"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    upload: bytes, rule: object, said: str
) -> None:
    with pytest.raises(ImageRefusedError, match=said):
        clean_image(upload, rule)  # type: ignore[arg-type]  # a rule from the table


def test_a_phones_picture_with_a_second_one_behind_it_is_a_jpeg() -> None:
    out = io.BytesIO()
    second = Image.new("RGB", (256, 256), "#ff0000")
    Image.new("RGB", (256, 256)).save(out, "MPO", save_all=True, append_images=[second])
    image = clean_image(out.getvalue(), LOGO)
    assert image.content_type == "image/jpeg"
    assert Image.open(io.BytesIO(image.data)).format == "JPEG"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_broken_exif_data_do_not_spoil_a_sound_picture(form: str) -> None:
    upload = picture(form=form, exif=b"Exif\0\0this is no TIFF")
    assert clean_image(upload, LOGO).width == 256


def test_greys_of_16_bits_keep_their_shade() -> None:
    out = io.BytesIO()
    Image.new("I;16", (256, 256), 0x3000).save(out, "PNG")
    stored = Image.open(io.BytesIO(clean_image(out.getvalue(), LOGO).data))
    assert stored.convert("L").getpixel((9, 9)) == 0x30
