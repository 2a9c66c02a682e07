"""What the providers of ends share: rows with their organization, and pages of the staff."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from flask import current_app, url_for
from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import Organization

END_OF_DAY = time(23, 59, 59)


def with_organization(
    moment: Any,
    what: Any,
    *,
    model: Any,
    begin: date,
    end: date,
    most: int | None,
    where: Sequence[Any] = (),
) -> Any:
    """Moment, what, and the organization's id, name and slug, of rows within a time: the soonest
    `most`."""
    return db.session.execute(
        select(moment, what, Organization.id, Organization.name, Organization.slug)
        .select_from(model)
        .join(Organization, Organization.id == model.organization_id)
        .where(moment >= begin, moment < end, *where)
        .order_by(moment, model.id)
        .limit(most)
    ).all()


def end_of(day: date) -> datetime:
    """The last moment of a day that counts whole."""
    return datetime.combine(day, END_OF_DAY, tzinfo=UTC)


def place_page(place_id: str) -> str:
    """The staff's page of a partner in a round."""
    return page_of("applications_staff.place", place_id=place_id)


def page_of(endpoint: str, **values: Any) -> str:
    """The address of a page of the staff; empty where the part is not mounted."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""


def partner_page(slug: str) -> str:
    """The staff's page of a partner in the program, as far as there is one."""
    if "standings.partner" in current_app.view_functions:
        return url_for("standings.partner", standing_slug=slug)
    return page_of("standings.partners")
