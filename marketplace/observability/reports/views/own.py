"""A partner's reports."""

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import needs
from marketplace.observability.access import active_partner
from marketplace.observability.reports import queries
from marketplace.observability.reports.files import csv_of, pdf_of
from marketplace.observability.reports.models import ActivityReport
from marketplace.observability.reports.snapshot import digest_of
from marketplace.observability.reports.views.blueprints import reports

_READ = needs("report.read", load=queries.find_report, name="report")


@reports.get("/partner/reports")
@needs("reports.read")
def index() -> ResponseReturnValue:
    """All reports of the partner."""
    partner = active_partner()
    return render_template(
        "reports/index.html",
        partner=partner,
        page=paginate(
            queries.reports_of(partner.organization_id),
            page=page_number(request.args.get("page")),
            per_page=queries.PER_PAGE,
        ),
    )


@reports.get("/partner/reports/<report_id>")
@_READ
def show(report: ActivityReport) -> ResponseReturnValue:
    """One report, as it was made."""
    return render_template(
        "reports/show.html", report=report, is_whole=digest_of(report.data) == report.digest
    )


@reports.get("/partner/reports/<report_id>.pdf")
@_READ
def document(report: ActivityReport) -> ResponseReturnValue:
    """The same as PDF."""
    return pdf_of(report, str(current_app.config["SITE_NAME"]))


@reports.get("/partner/reports/<report_id>.csv")
@_READ
def export(report: ActivityReport) -> ResponseReturnValue:
    """Its figures as CSV."""
    return csv_of(report)
