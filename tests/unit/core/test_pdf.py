"""Documents as PDF."""

import io
from datetime import UTC, datetime

from pypdf import PdfReader

from marketplace.core.pdf import PdfDocument

AT = datetime(2026, 11, 29, 10, tzinfo=UTC)


def made(rows: int = 2) -> bytes:
    document = PdfDocument("Invoice for Zażółć", made_at=AT, site_name="Harbor", subtitle="Paid")
    document.heading("What was bought")
    document.pairs([("Date", "29 Nov 2026"), ("Tax id", "")])
    document.table(
        ("Item", "Amount"),
        [*[(f"Tide Tables {n}", "€12.00") for n in range(rows)], ("Total", "€24.00")],
        widths=(3, 1),
        numeric=(1,),
        totals=1,
    )
    document.paragraph("Thank you.", muted=True)
    return document.bytes()


def test_a_document_says_what_it_was_told_with_signs_of_every_currency() -> None:
    text = PdfReader(io.BytesIO(made())).pages[0].extract_text()
    for part in ("Invoice for Zażółć", "Harbor", "€12.00", "Total", "29 Nov 2026", "Thank you."):
        assert part in text


def test_a_long_table_goes_on_with_its_head_on_every_page_and_pages_are_counted() -> None:
    pages = PdfReader(io.BytesIO(made(120))).pages
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        text = page.extract_text()
        assert "Amount" in text
        assert f"{number} / {len(pages)}" in text


def test_the_same_content_gives_the_same_bytes() -> None:
    assert made() == made()
