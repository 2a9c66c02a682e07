"""The statement under both logins, and as files."""

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from billing.formatting import plain_amount
from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.permissions import needs
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.observability.access import active_partner
from marketplace.observability.periods import PRESETS, Period, read_period
from marketplace.observability.reciprocity.pdf import statement_pdf
from marketplace.observability.reciprocity.statement import statement_of
from marketplace.observability.reciprocity.views.blueprints import reciprocity


def _find_partner(statement_slug: str, **_rest: object) -> Organization | None:
    """The partner of an address."""
    return db.session.scalar(
        select(Organization).where(
            Organization.slug == statement_slug, Organization.kind == OrganizationKind.PARTNER
        )
    )


_ALL = needs("reciprocity.read_all", load=_find_partner, name="partner")


@reciprocity.get("/partner/reciprocity")
@needs("reciprocity.read")
def index() -> ResponseReturnValue:
    """The partner's own statement."""
    partner = active_partner()
    return _page(partner.organization_id, partner.organization_name, None)


@reciprocity.get("/partner/reciprocity.csv")
@needs("reciprocity.read")
def export() -> ResponseReturnValue:
    """The same as CSV."""
    partner = active_partner()
    return _csv(partner.organization_id, partner.organization_slug)


@reciprocity.get("/partner/reciprocity.pdf")
@needs("reciprocity.read")
def document() -> ResponseReturnValue:
    """The same as PDF."""
    partner = active_partner()
    return _pdf(partner.organization_id, partner.organization_name, partner.organization_slug)


@reciprocity.get("/staff/program/reciprocity/<statement_slug>")
@_ALL
def show(partner: Organization) -> ResponseReturnValue:
    """Any partner's statement, for the staff."""
    return _page(partner.id, partner.name, partner.slug)


@reciprocity.get("/staff/program/reciprocity/<statement_slug>/statement.csv")
@_ALL
def show_csv(partner: Organization) -> ResponseReturnValue:
    """The same as CSV."""
    return _csv(partner.id, partner.slug)


@reciprocity.get("/staff/program/reciprocity/<statement_slug>/statement.pdf")
@_ALL
def show_pdf(partner: Organization) -> ResponseReturnValue:
    """The same as PDF."""
    return _pdf(partner.id, partner.name, partner.slug)


def _period() -> Period:
    """The time, in UTC for both sides alike."""
    return read_period(request.args, now=clock.now(), zone=ZoneInfo("UTC"), default="year")


def _page(organization_id: int, name: str, slug: str | None) -> str:
    period = _period()
    context: dict[str, Any] = {
        "statement": statement_of(organization_id, period),
        "period": period,
        "presets": list(PRESETS.items()),
        "partner_name": name,
        "slug": slug,
    }
    return render_template(
        "reciprocity/partner.html" if slug is None else "reciprocity/staff.html", **context
    )


def _csv(organization_id: int, slug: str) -> Response:
    period = _period()
    rows = (
        [
            giver,
            figure.tile.label,
            plain_amount(figure.value, figure.currency) if figure.currency else figure.value,
            figure.currency,
        ]
        for giver, figure in statement_of(organization_id, period).lines()
    )
    name = f"{slug}-given-and-received-{period.first}-{period.last}.csv"
    return csv_response(name, ("given by", "what", "sum", "currency"), rows)


def _pdf(organization_id: int, name: str, slug: str) -> Response:
    period = _period()
    made = statement_pdf(
        statement_of(organization_id, period),
        partner=name,
        site_name=str(current_app.config["SITE_NAME"]),
        made_at=clock.now(),
    )
    response = Response(made, mimetype="application/pdf")
    file = f"{slug}-given-and-received-{period.first}-{period.last}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return response
