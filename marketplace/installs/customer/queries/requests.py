"""What members asked their admins to install."""

from sqlalchemy import case, func, select
from sqlalchemy.orm import contains_eager, joinedload

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization
from marketplace.installs.models import InstallRequest, InstallRequestState

PER_PAGE = 25


def page_of_requests(organization_id: int, *, is_open: bool, page: int) -> Page[InstallRequest]:
    """The open ones, the longest waiting first; or the closed ones, the newest first."""
    query = (
        select(InstallRequest)
        .where(InstallRequest.organization_id == organization_id)
        .options(
            joinedload(InstallRequest.listing).joinedload(Listing.publisher),
            joinedload(InstallRequest.requested_by),
            joinedload(InstallRequest.decided_by),
        )
    )
    if is_open:
        query = query.where(InstallRequest.state == InstallRequestState.OPEN)
        query = query.order_by(InstallRequest.id)
    else:
        query = query.where(InstallRequest.state != InstallRequestState.OPEN)
        query = query.order_by(InstallRequest.decided_at.desc(), InstallRequest.id.desc())
    return paginate(query, page=page, per_page=PER_PAGE)


def counts(organization_id: int) -> tuple[int, int]:
    """How many are open and how many closed. One query."""
    is_open = case((InstallRequest.state == InstallRequestState.OPEN, 1), else_=0)
    row = db.session.execute(
        select(func.coalesce(func.sum(is_open), 0), func.count()).where(
            InstallRequest.organization_id == organization_id
        )
    ).one()
    return int(row[0]), int(row[1]) - int(row[0])


def waiting(organization_id: int) -> int:
    """How many are open. One query."""
    return (
        db.session.scalar(
            select(func.count()).where(
                InstallRequest.organization_id == organization_id,
                InstallRequest.state == InstallRequestState.OPEN,
            )
        )
        or 0
    )


def open_request(organization_id: int, listing_id: int) -> InstallRequest | None:
    """The open request for a listing, with who asked, or None."""
    return db.session.scalar(
        select(InstallRequest)
        .where(
            InstallRequest.organization_id == organization_id,
            InstallRequest.listing_id == listing_id,
            InstallRequest.state == InstallRequestState.OPEN,
        )
        .options(joinedload(InstallRequest.requested_by))
    )


def find_request(slug: str, install_request_id: int) -> InstallRequest | None:
    """The request of that id at the organization of that slug."""
    return db.session.scalar(
        select(InstallRequest)
        .join(InstallRequest.organization)
        .where(Organization.slug == slug, InstallRequest.id == install_request_id)
        .options(
            contains_eager(InstallRequest.organization),
            joinedload(InstallRequest.listing),
            joinedload(InstallRequest.requested_by),
        )
    )
