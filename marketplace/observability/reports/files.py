"""Reports as downloads."""

from decimal import Decimal

from flask import Response

from billing.formatting import plain_amount
from marketplace.core.csv_export import csv_response
from marketplace.observability.reports.models import ActivityReport
from marketplace.observability.reports.pdf import report_pdf


def pdf_of(report: ActivityReport, site_name: str) -> Response:
    """A report as a PDF download."""
    response = Response(report_pdf(report, site_name=site_name), mimetype="application/pdf")
    name = f"activity-{report.month}-{report.public_id}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv_of(report: ActivityReport) -> Response:
    """A report's figures as a CSV download."""
    rows = (
        [
            each["key"],
            each["label"],
            _plain(each["value"], each["currency"]),
            _plain(each["before"], each["currency"]),
            each["currency"],
        ]
        for each in report.data["figures"]
    )
    heads = ("key", "figure", "value", "month before", "currency")
    return csv_response(f"activity-{report.month}-{report.public_id}.csv", heads, rows)


def _plain(value: int, currency: str) -> object:
    return Decimal(plain_amount(value, currency)) if currency else value
