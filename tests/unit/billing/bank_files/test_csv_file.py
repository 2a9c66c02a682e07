"""What banks write into CSV, as a table."""

from datetime import date

import pytest

from billing.bank_files.csv_file import minor_units, read_csv
from billing.bank_files.importing import read_bank_file
from billing.bank_files.rows import BankFileError

GERMAN = (
    "Kontoumsätze;;;\nKonto;DE02 1203;;\n;;;\n"
    "Buchungstag;Verwendungszweck;Name;Betrag;Währung;Saldo\n"
    "31.10.2026;STRIPE X1;Stripe;1.234,50;EUR;2.234,50\n"
    "30.10.26;Miete;Haus;-800,00;EUR;1.000,00\n"
)


def test_a_german_file_with_lines_above_its_head_newest_first() -> None:
    found = read_csv(GERMAN.encode("cp1252"), currency="USD")
    assert found.currency == "EUR"
    assert [(row.booked_on, row.amount, row.text) for row in found.rows] == [
        (date(2026, 10, 31), 123_450, "STRIPE X1 Stripe"),
        (date(2026, 10, 30), -80_000, "Miete Haus"),
    ]
    assert (found.opening_balance, found.closing_balance) == (180_000, 223_450)
    assert (found.covers_from, found.covers_to) == (date(2026, 10, 30), date(2026, 10, 31))


def test_two_columns_for_in_and_out_without_a_currency() -> None:
    data = (
        "Date,Description,Reference,Money In,Money Out\n"
        "2026-10-31,STRIPE,TR123,50.00,\n2026-11-01,Fee,,,1.25\n\n"
    )
    found = read_csv(data.encode(), currency="GBP", account="GB00")
    assert [(row.amount, row.reference) for row in found.rows] == [(5_000, "TR123"), (-125, "")]
    assert (found.currency, found.account, found.opening_balance) == ("GBP", "GB00", None)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1,234.50", "EUR", 123_450),
        ("1.234,50", "EUR", 123_450),
        ("1 234,50 €", "EUR", 123_450),
        ("1234.5", "EUR", 123_450),
        ("1,234,567", "EUR", 123_456_700),
        ("-12,30", "EUR", -1_230),
        ("−12.30", "EUR", -1_230),
        ("12.30-", "EUR", -1_230),
        ("(12.30)", "EUR", -1_230),
        ("+7", "EUR", 700),
        ("1.234", "KWD", 1_234),
        ("1,234", "JPY", 1_234),
        ("0", "EUR", 0),
        (".50", "EUR", 50),
        ("1.234.567", "EUR", 123_456_700),
        ("1'234.50 CHF", "CHF", 123_450),
        ("EUR 12,30", "EUR", 1_230),
        ("$-12.30", "USD", -1_230),
        ("12.300", "KWD", 12_300),
        ("12.340", "EUR", None),
        ("0.500", "EUR", 50),
        ("12.34 DR", "EUR", -1_234),
        ("12.34CR", "EUR", 1_234),
        ("12,34 S", "EUR", -1_234),
        ("12,34 H", "EUR", 1_234),
        ("-12.34 DR", "EUR", -1_234),
        ("-12.34 CR", "EUR", None),
        ("(-12.34)", "EUR", None),
        ("(12.34", "EUR", None),
        ("1e999999", "EUR", None),
        ("1e3", "EUR", None),
        ("1.2.3", "EUR", None),
        ("1,2,3.00", "EUR", None),
        ("1.005", "EUR", None),
        ("1,005", "EUR", None),
        ("12.345,6.7", "EUR", None),
        ("1.0055", "EUR", None),
        ("12 abc", "EUR", None),
        ("12 USD", "EUR", None),
        ("12,50 kr", "SEK", 1_250),
        ("--5", "EUR", None),
        ("12.3.", "EUR", None),
        ("９", "EUR", None),
        ("9" * 40, "EUR", None),
    ],
)
def test_amounts_as_banks_write_them(text: str, currency: str, minor: int | None) -> None:
    if minor is None:
        with pytest.raises(BankFileError, match="Line 1"):
            minor_units(text, currency, 1)
    else:
        assert minor_units(text, currency, 1) == minor


@pytest.mark.parametrize(
    ("line", "others", "amount"),
    [
        # What was taken back keeps its sign.
        ("2026-10-31,-5.00,", "", -500),
        ("2026-10-31,,-5.00", "", -500),
        ("2026-10-31,,-5.00", "2026-10-30,,7.00\n", 500),
        ("2026-10-31,,5.00", "", -500),
        ("2026-10-31,5.00,0.00", "", 500),
    ],
)
def test_two_columns_keep_their_signs(line: str, others: str, amount: int) -> None:
    data = f"Date,Credit,Debit\n{line}\n{others}"
    assert read_csv(data.encode(), currency="EUR").rows[0].amount == amount


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (["03/04/2026", "31/03/2026"], date(2026, 4, 3)),
        (["03/04/2026", "03/31/2026"], date(2026, 3, 4)),
        (["03-04-2026", "13-04-2026"], date(2026, 4, 3)),
        (["04/04/2026"], date(2026, 4, 4)),
        (["3/31/2026"], date(2026, 3, 31)),
        (["03.04.2026"], date(2026, 4, 3)),
        (["03/04/2026", "05/04/2026"], None),
        (["13/04/2026", "04/13/2026"], None),
        (["13/13/2026"], None),
    ],
)
def test_a_day_that_may_be_two_is_told_by_the_others_or_refused(
    days: list[str], first: date | None
) -> None:
    data = ("Date,Amount\n" + "".join(f"{day},1.00\n" for day in days)).encode()
    if first is None:
        with pytest.raises(BankFileError, match=r"Line [23]"):
            read_csv(data, currency="EUR")
    else:
        assert read_csv(data, currency="EUR").rows[0].booked_on == first


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "9999-12-31"])
def test_days_of_other_centuries_are_refused(day: str) -> None:
    with pytest.raises(BankFileError, match=f"{day} is no day of a booking"):
        read_bank_file(f"Date,Amount\n{day},1.00\n".encode(), currency="EUR")


def test_a_field_without_an_end_is_refused_with_words() -> None:
    data = b'Date,Amount,Text\n2026-10-31,1.00,"' + b"x" * 200_000
    with pytest.raises(BankFileError, match="Line 2 cannot be read"):
        read_csv(data, currency="EUR")


def test_card_numbers_in_references_and_texts_are_masked() -> None:
    data = (
        b"Date,Amount,Reference,Text\n2026-10-31,1.00,4242424242424242,Card 4242 4242 4242 4242\n"
    )
    (row,) = read_csv(data, currency="EUR").rows
    assert "42424242" not in f"{row.reference}{row.text.replace(' ', '')}"
    assert row.reference.endswith("4242")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello\nworld", "No line names the columns"),
        (b"\x00\x01", "no text file"),
        (b"Date,Amount\n", "no lines"),
        (b"Date,Amount\n2026-10-31,abc\n", "Line 2: 'abc' is no amount"),
        (b"Date,Amount\nsoon,1\n", "Line 2: 'soon' is no date"),
        (b"Date,Amount\n2026-10-31,1.005\n", "Line 2"),
        (b"Date,Amount,Currency\n2026-10-31,1,XXX\n", "'XXX' is no currency"),
        (b"Date,Amount,Currency\n2026-10-31,1,EUR\n2026-10-31,1,USD\n", "one file for each"),
        (b"Date,Money in,Money out\n2026-10-31,,\n", "Line 2 has no amount"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(BankFileError, match=message.replace("(", r"\(")):
        read_csv(data, currency="EUR")


def test_a_formula_stays_text_and_control_characters_go() -> None:
    found = read_csv(b'Date,Amount,Text\n2026-10-31,1,"=1+1\x07 a"\n', currency="EUR")
    assert found.rows[0].text == "=1+1 a"
