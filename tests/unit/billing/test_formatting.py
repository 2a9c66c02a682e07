"""Amounts as people read and type them."""

import pytest

from billing.formatting import AmountError, format_bps, format_money, parse_amount, plain_amount


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (123_450, "EUR", "€1,234.50"),
        (-300, "USD", "−$3.00"),
        (0, "EUR", "€0.00"),
        (500, "JPY", "¥500"),
        (1_230, "KWD", "KWD\u00a01.230"),
        (100, "HUF", "HUF\u00a01.00"),
    ],
)
def test_an_amount_is_shown_with_its_currency(amount: int, currency: str, shown: str) -> None:
    assert format_money(amount, currency) == shown


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("12.50", "EUR", 1_250),
        ("12,50", "EUR", 1_250),
        ("12,5", "EUR", 1_250),
        ("1,234.50", "EUR", 123_450),
        ("1,234", "EUR", 123_400),
        (" 7 ", "EUR", 700),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1_234),
        ("0", "EUR", 0),
    ],
)
def test_an_amount_is_read_as_people_type_it(typed: str, currency: str, minor: int) -> None:
    assert parse_amount(typed, currency) == minor


@pytest.mark.parametrize(
    ("typed", "currency", "says"),
    [
        ("", "EUR", "like 12.50"),
        ("abc", "EUR", "like 12.50"),
        ("-3", "EUR", "like 12.50"),
        ("1e3", "EUR", "like 12.50"),
        ("٣", "EUR", "like 12.50"),
        ("1.2.3", "EUR", "like 12.50"),
        (".", "EUR", "like 12.50"),
        ("1,2345", "EUR", "like 12.50"),
        ("10,0,0", "EUR", "like 12.50"),
        (",5", "EUR", "like 12.50"),
        ("1.234,50", "EUR", "like 12.50"),
        ("1.000", "EUR", "2 decimals"),
        ("1.005", "EUR", "2 decimals"),
        ("1.5", "JPY", "no decimals"),
        ("1000000", "EUR", "At most"),
    ],
)
def test_what_is_no_amount_is_refused_with_what_is_wrong(
    typed: str, currency: str, says: str
) -> None:
    with pytest.raises(AmountError, match=says):
        parse_amount(typed, currency)


@pytest.mark.parametrize("amount", [0, 1, 99, 100, 123_456])
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_what_is_written_plainly_is_read_back(amount: int, currency: str) -> None:
    assert parse_amount(plain_amount(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("bps", "shown"), [(1_250, "12.5%"), (2_000, "20%"), (0, "0%"), (1, "0.01%")]
)
def test_a_rate_is_shown_as_a_percentage(bps: int, shown: str) -> None:
    assert format_bps(bps) == shown
