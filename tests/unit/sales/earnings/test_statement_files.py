"""A statement as a file: written in pieces, without formulas, and always the same again."""

from collections.abc import Iterator
from datetime import UTC, datetime

from billing.models import EarningKind
from billing.statements import Balances, Statement, StatementLine
from marketplace.sales.earnings.statement_files import csv_chunks, month_name, pdf_of

AS_OF = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
FOUND = Statement(
    partner_id=7,
    currency="EUR",
    month="2026-10",
    as_of=AS_OF,
    opening=Balances(held=8_500),
    closing=Balances(held=10_000, payable=500, owed=0),
    lines=4,
    sums={"earned": 17_000, "taken back": -1_000, "corrected": 500, "paid out": -14_500},
)


def line(number: int, kind: str, amount: int, **more: object) -> StatementLine:
    values: dict[str, object] = {"memo": "", **more}
    at = datetime(2026, 10, number, 12, tzinfo=UTC)
    return StatementLine(txn_id=number, at=at, kind=kind, amount=amount, **values)  # type: ignore[arg-type]  # fields by their names


def lines() -> Iterator[StatementLine]:
    yield line(
        1, "sale", 17_000, earning_id="earn_1", earning_kind=EarningKind.PUBLISHER_SHARE,
        order_id="ord_1", description="Tide Tables, “Pro”",
    )  # fmt: skip
    yield line(2, "refund", -1_000, earning_id="earn_1", order_id="ord_1", memo="=HYPERLINK(1)")
    yield line(3, "adjustment", 500, memo="The fee was 10%")
    yield line(4, "payout_reserve", -14_500, payout_id="pout_1")


GOLDEN = (
    "\ufeffdate,section,what,description,amount,currency,line,order,payout,ledger transaction\r\n"
    "2026-10-01T12:00:00+00:00,Earned,Sale,\"Tide Tables, “Pro”\",170.00,EUR,earn_1,ord_1,,1\r\n"
    "2026-10-02T12:00:00+00:00,Refunds and disputes,Refund,'=HYPERLINK(1),-10.00,EUR,"
    "earn_1,ord_1,,2\r\n"
    "2026-10-03T12:00:00+00:00,Corrections,Correction,The fee was 10%,5.00,EUR,,,,3\r\n"
    "2026-10-04T12:00:00+00:00,Paid out,Payout,,-145.00,EUR,,,pout_1,4\r\n"
)  # fmt: skip


def test_the_file_is_what_it_was() -> None:
    assert FOUND.is_balanced
    assert "".join(csv_chunks(FOUND, lines())) == GOLDEN


def test_many_lines_come_in_pieces_of_which_none_is_large() -> None:
    many = (line(1 + number % 28, "sale", 100) for number in range(50_000))
    sizes = [len(chunk) for chunk in csv_chunks(FOUND, many)]
    assert len(sizes) == 101
    assert max(sizes) < 60_000


def test_the_same_statement_is_the_same_pdf() -> None:
    def made() -> bytes:
        return pdf_of(
            FOUND, lines(), partner_name="Quayside", site_name="Portico", csv_address="https://x"
        )

    assert made() == made()
    assert made().startswith(b"%PDF")


def test_amounts_of_currencies_without_decimals_have_none() -> None:
    yen = Statement(7, "JPY", "2026-10", AS_OF, Balances(), Balances(held=850), 1, {"earned": 850})
    text = "".join(csv_chunks(yen, iter([line(1, "sale", 850)])))
    assert ",850,JPY," in text


def test_months_have_names() -> None:
    assert month_name("2026-10") == "October 2026"
