"""Lists of reports."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.observability.reports.models import ActivityReport, ReportScope, ReportSending

PER_PAGE = 25


def find_report(report_id: str, **_rest: object) -> ActivityReport | None:
    """The report of a public id. Raises SignInRequiredError before anything is looked up."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    return db.session.scalar(select(ActivityReport).where(ActivityReport.public_id == report_id))


def reports_of(organization_id: int) -> Select[Any]:
    """A partner's reports, the newest first."""
    return (
        select(ActivityReport)
        .where(ActivityReport.organization_id == organization_id)
        .order_by(ActivityReport.month.desc(), ActivityReport.id.desc())
    )


def all_reports(scope: ReportScope | None, month: str, text: str) -> Select[Any]:
    """Everybody's reports, the newest first, with filters."""
    query = select(ActivityReport).outerjoin(
        Organization, Organization.id == ActivityReport.organization_id
    )
    if scope is not None:
        query = query.where(ActivityReport.scope == scope)
    if month:
        query = query.where(ActivityReport.month == month)
    if text:
        query = query.where(Organization.name.icontains(text, autoescape=True))
    return query.order_by(ActivityReport.id.desc())


def sendings_of(report_ids: Sequence[int]) -> dict[int, int]:
    """How often each report was mailed. One query."""
    rows = db.session.execute(
        select(ReportSending.report_id, func.count())
        .where(ReportSending.report_id.in_(report_ids))
        .group_by(ReportSending.report_id)
    )
    return {row[0]: row[1] for row in rows}


def find_partner(text: str) -> Organization | None:
    """A partner by its address or exact name; nobody when two have that name."""
    wanted = text.strip().lower()
    rows = db.session.scalars(
        select(Organization)
        .where(
            Organization.kind == OrganizationKind.PARTNER,
            (Organization.slug == wanted) | (func.lower(Organization.name) == wanted),
        )
        .limit(2)
    ).all()
    return rows[0] if len(rows) == 1 else None
