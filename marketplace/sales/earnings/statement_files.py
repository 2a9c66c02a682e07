"""A statement as a file: CSV with every line, PDF for people."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from billing.formatting import format_money, plain_amount
from billing.statements import SECTION_ORDER, Statement, StatementLine
from marketplace.catalogue.engagement.csv_export import csv_cell
from marketplace.core.pdf import PdfDocument
from marketplace.sales.earnings.texts import SECTIONS, txn_label

# A PDF of more lines is no document that somebody reads; the CSV has all of them.
PDF_LINES = 500
_CSV_CHUNK = 500
COLUMNS = (
    "date",
    "section",
    "what",
    "description",
    "amount",
    "currency",
    "line",
    "order",
    "payout",
    "ledger transaction",
)


def csv_chunks(found: Statement, lines: Iterator[StatementLine]) -> Iterator[str]:
    """The file in pieces of 500 lines, so that 50,000 lines cost no more memory than 500."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(COLUMNS)
    for count, line in enumerate(lines, start=1):
        writer.writerow([csv_cell(value) for value in _csv_row(found, line)])
        if count % _CSV_CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _csv_row(found: Statement, line: StatementLine) -> tuple[object, ...]:
    return (
        line.at,
        SECTIONS[line.section],
        txn_label(line.kind),
        line.description or line.memo,
        # A number, not text: a minus sign must not be taken for a formula.
        _Number(plain_amount(line.amount, found.currency)),
        found.currency,
        line.earning_id,
        line.order_id,
        line.payout_id,
        line.txn_id,
    )


class _Number(float):
    """A float that is written exactly as the amount that it was made of."""

    def __new__(cls, text: str) -> "_Number":
        return super().__new__(cls, text)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def pdf_of(
    found: Statement,
    lines: Iterator[StatementLine],
    *,
    partner_name: str,
    site_name: str,
    csv_address: str,
) -> bytes:
    """The statement as PDF: sums and the first 500 lines. The same statement, the same bytes."""
    currency = found.currency
    document = PdfDocument(
        f"Statement {month_name(found.month)}",
        made_at=found.as_of,
        site_name=site_name,
        subtitle=f"{partner_name} · {currency}",
    )
    document.pairs(
        [
            ("Partner", partner_name),
            ("Period", f"{month_name(found.month)} (UTC)"),
            ("As of", f"{found.as_of:%d %b %Y, %H:%M} UTC"),
            ("Currency", currency),
        ]
    )
    document.heading("Summary")
    rows = [("At the beginning", format_money(found.opening.total, currency))]
    rows += [
        (SECTIONS[section], format_money(found.sums[section], currency))
        for section in SECTION_ORDER
        if section in found.sums
    ]
    rows.append(("At the end", format_money(found.closing.total, currency)))
    document.table(("", "Amount"), rows, widths=(3, 1), numeric=(1,), totals=1)
    document.table(
        ("At the end", "Held", "Payable", "Owed by you"),
        [
            (
                "",
                format_money(found.closing.held, currency),
                format_money(found.closing.payable, currency),
                format_money(found.closing.owed, currency),
            )
        ],
        widths=(1, 1, 1, 1),
        numeric=(1, 2, 3),
    )
    document.heading("Lines")
    shown = [
        (
            f"{line.at:%d %b}",
            txn_label(line.kind),
            line.description or line.memo,
            line.order_id or line.payout_id or "",
            format_money(line.amount, currency),
        )
        for line in lines
    ]
    if not shown:
        document.paragraph("Nothing happened in this month.")
    else:
        document.table(
            ("Date", "What", "Description", "Order or payout", "Amount"),
            shown,
            widths=(2, 4, 6, 6, 3),
            numeric=(4,),
        )
    if found.lines > len(shown):
        document.paragraph(
            f"These are the first {len(shown):,} of {found.lines:,} lines. All of them are in the"
            f" CSV file: {csv_address}",
            muted=True,
        )
    return document.bytes()


def month_name(month: str) -> str:
    """2026-10 as October 2026."""
    return f"{datetime.fromisoformat(f'{month}-01T00:00:00+00:00'):%B %Y}"
