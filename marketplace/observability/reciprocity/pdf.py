"""The statement as a PDF."""

from datetime import datetime

from marketplace.core.pdf import PdfDocument
from marketplace.observability.dashboard.tiles import Figure
from marketplace.observability.reciprocity.statement import GivenAndReceived


def statement_pdf(
    statement: GivenAndReceived, *, partner: str, site_name: str, made_at: datetime
) -> bytes:
    """The same lines as on the page."""
    document = PdfDocument(
        "Given and received",
        made_at=made_at,
        site_name=site_name,
        subtitle=f"{partner} and {site_name}, {statement.period.text} (days in UTC)",
    )
    for heading, figures in (
        (f"{site_name} gave {partner}", statement.given),
        (f"{partner} gave {site_name}", statement.received),
    ):
        document.heading(heading)
        document.table(
            ("What", "Meaning", "Sum"),
            [(_name(figure), figure.tile.hint, figure.text) for figure in figures],
            widths=(3, 5, 2),
            numeric=(2,),
        )
    return document.bytes()


def _name(figure: Figure) -> str:
    return f"{figure.tile.label} ({figure.currency})" if figure.currency else figure.tile.label
