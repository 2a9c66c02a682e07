"""The program guide as PDF: the overview on paper, with what holds today."""

from marketplace.core.pdf import PdfDocument
from marketplace.program.policy.overview import MatrixRow, Overview


def guide_pdf(overview: Overview, *, site_name: str, address: str) -> bytes:
    """The file. The same policy and the same fees give the same bytes."""
    document = PdfDocument(
        overview.name,
        made_at=overview.as_of,
        site_name=site_name,
        subtitle=f"Program guide, version {overview.number}, in force since "
        f"{overview.as_of:%d %b %Y} (UTC). Always current: {address}",
    )
    if overview.summary:
        document.paragraph(overview.summary.strip())
    document.heading("Ways to take part")
    document.table(
        ("Type", "Who it is for", "Joining"),
        [
            (
                each.name,
                "\n".join(filter(None, (each.summary, *each.facts))),
                each.joining if each.is_open else "Closed for new partners.",
            )
            for each in overview.types
        ],
        widths=(3, 6, 3),
    )
    document.heading("Tiers")
    for name, summary in overview.tiers:
        document.pairs([(name, summary)])
    _matrix(document, overview, "What each tier asks for", overview.requirements)
    document.paragraph(
        "A partner has the highest tier whose points and requirements it meets. One that no longer "
        f"meets its tier keeps it for {overview.grace_days} days.",
        muted=True,
    )
    _matrix(document, overview, "What each tier gives", overview.benefits)
    if overview.points:
        document.heading("How points are earned")
        document.table(("For", "Points"), overview.points, widths=(4, 6))
    if overview.fees:
        document.heading("Fees")
        document.table(
            ("Fee", "Who pays it", "Amount"),
            [
                (each.kind, each.whom, "\n".join(filter(None, (each.amount, each.note))))
                for each in overview.fees
            ],
            widths=(3, 4, 4),
        )
        document.paragraph(
            f"Fee schedule version {overview.fees_version}, without tax.", muted=True
        )
    if overview.without_commission:
        document.heading("Commission")
        document.paragraph(
            "No commission is paid to: " + ", ".join(overview.without_commission) + "."
        )
    return document.bytes()


def _matrix(
    document: PdfDocument, overview: Overview, title: str, rows: tuple[MatrixRow, ...]
) -> None:
    if not rows:
        return
    document.heading(title)
    document.table(
        ("", *(name for name, _summary in overview.tiers)),
        [(row.label, *(cell or "–" for cell in row.cells)) for row in rows],
        widths=(3, *(2 for _tier in overview.tiers)),
    )
