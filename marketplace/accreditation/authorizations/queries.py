"""Authorizations, as partners and reviewers see them."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from marketplace.accreditation.acting import signed_in
from marketplace.accreditation.authorizations.models import Authorization, CheckState
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate

PER_PAGE = 25


def find_authorization(authorization_id: str) -> Authorization | None:
    """The authorization of that public id. Raises SignInRequiredError first."""
    signed_in()
    return db.session.scalar(
        select(Authorization)
        .where(
            Authorization.public_id == authorization_id,
            Authorization.check != CheckState.WITHDRAWN,
        )
        .options(joinedload(Authorization.organization))
    )


def page_of_partner(organization_id: int, page: int) -> Page[Authorization]:
    """A partner's authorizations, the newest first. Two queries."""
    return paginate(
        select(Authorization)
        .where(
            Authorization.organization_id == organization_id,
            Authorization.check != CheckState.WITHDRAWN,
        )
        .order_by(Authorization.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )


def page_of_queue(check: CheckState, page: int) -> Page[Authorization]:
    """Authorizations in a state, what waits longest first. Two queries."""
    return paginate(
        select(Authorization)
        .where(Authorization.check == check)
        .options(joinedload(Authorization.organization))
        .order_by(Authorization.submitted_at, Authorization.id),
        page=page,
        per_page=PER_PAGE,
    )
