"""A report as a PDF: made of the frozen data alone, the same bytes whenever it is asked for."""

from billing.formatting import format_money
from marketplace.core.pdf import PdfDocument
from marketplace.observability.reports.models import ActivityReport

# Figures that are drawn by day.
DRAWN = ("views", "installs", "leads", "net_revenue")


def report_pdf(report: ActivityReport, *, site_name: str) -> bytes:
    """The report's figures, charts and tables."""
    data = report.data
    document = PdfDocument(
        f"Activity report {report.month}",
        made_at=report.made_at,
        site_name=site_name,
        subtitle=f"{data['of']}, days in UTC",
    )
    pairs = [("Made", f"{report.made_at:%Y-%m-%d %H:%M} UTC"), ("Digest", report.digest)]
    if data.get("tier"):
        pairs.insert(0, ("Tier", f"{data['tier']}, {data['points']:,} points"))
    document.pairs(pairs)
    document.heading("Figures")
    document.table(
        ("Figure", "This month", "Month before"),
        [
            (_name(each["label"], each["currency"]), each["text"], each["text_before"])
            for each in data["figures"]
        ],
        widths=(4, 2, 2),
        numeric=(1, 2),
    )
    for each in data["figures"]:
        if each["key"] in DRAWN and any(each["by_day"]):
            labels = [str(number) for number in range(1, len(each["by_day"]) + 1)]
            kind = "line" if each["currency"] else "bars"
            document.chart(
                f"{_name(each['label'], each['currency'])} by day",
                labels,
                each["by_day"],
                kind=kind,
            )
    if data.get("goals"):
        document.heading("Goals of the year, at the month’s end")
        document.table(
            ("Goal", "Reached", "Target"),
            [
                (
                    each["name"],
                    _amount(each["value"], each["currency"]),
                    _amount(each["target"], each["currency"]),
                )
                for each in data["goals"]
            ],
            widths=(4, 2, 2),
            numeric=(1, 2),
        )
    if data.get("tiers"):
        document.chart(
            "Partners by tier",
            [str(name) for name, _count in data["tiers"]],
            [int(count) for _name, count in data["tiers"]],
            kind="bars",
        )
    document.heading("Views by placement")
    document.table(
        ("Placement", "Impressions", "Views"),
        [(name, f"{shown:,}", f"{views:,}") for name, shown, views in data["placements"]],
        widths=(4, 2, 2),
        numeric=(1, 2),
    )
    if data["listings"]:
        document.heading("Listings")
        document.table(
            ("Listing", "Views", "Installs", "Paid", "Churn"),
            [(row[0], *(f"{count:,}" for count in row[1:])) for row in data["listings"]],
            widths=(4, 1, 1, 1, 1),
            numeric=(1, 2, 3, 4),
        )
    return document.bytes()


def _name(label: str, currency: str) -> str:
    return f"{label} ({currency})" if currency else label


def _amount(value: int | None, currency: str) -> str:
    if value is None:
        return "–"
    return format_money(value, currency) if currency else f"{value:,}"
