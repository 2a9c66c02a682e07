"""Marks drawn from a name and a colour are plain, stable and readable."""

import pytest

from marketplace.site.brand_color import (
    INK,
    PALETTE,
    WHITE,
    brand_fill,
    brand_ink,
    contrast_ratio,
    initials,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("#52606D", "#52606d"),
        ("52606d", "#52606d"),
        ("#abc", "#aabbcc"),
        ("  #ABC ", "#aabbcc"),
        ("#11223380", "#112233"),
    ],
)
def test_a_usable_colour_is_written_the_one_way(given: str, expected: str) -> None:
    assert brand_fill(given, "Acme") == expected


@pytest.mark.parametrize(
    "given",
    [None, "", "red", "#12", "#12345", "#gggggg", 'url("https://x")', '"><script>', "#112233\n;"],
)
def test_anything_else_becomes_a_palette_colour_that_stays_the_same(given: str | None) -> None:
    assert brand_fill(given, "Acme") in PALETTE
    assert brand_fill(given, "Acme") == brand_fill(None, "ACME")


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        ("#000000", WHITE),
        ("#1d4ed8", WHITE),
        ("#ffffff", INK),
        ("#ffe01b", INK),
        ("#ff7a59", INK),
        ("#00a1e0", INK),
    ],
)
def test_the_text_colour_follows_the_ground(fill: str, expected: str) -> None:
    assert brand_ink(fill) == expected


@pytest.mark.parametrize("grey", range(0, 256, 5))
def test_the_text_can_be_read_on_every_grey(grey: int) -> None:
    fill = f"#{grey:02x}{grey:02x}{grey:02x}"
    assert contrast_ratio(brand_ink(fill), fill) >= 4.5


@pytest.mark.parametrize("fill", PALETTE)
def test_every_palette_colour_carries_white_text(fill: str) -> None:
    assert brand_ink(fill) == WHITE


def test_black_on_white_is_the_greatest_contrast() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Acme", "A"),
        ("acme books", "AB"),
        ("HubSpot", "HS"),
        ("Node.js", "NJ"),
        ("10to8 Scheduling", "1S"),
        ("C++", "C"),
        ("  the   Big Shop ", "TB"),
        ("Éclair", "É"),
        ("ßtraße", "S"),
        ("株式会社", "株"),
        ("!!!", "?"),
        ("", "?"),
        (None, "?"),
    ],
)
def test_initials_are_one_or_two_letters(name: str | None, expected: str) -> None:
    assert initials(name) == expected
