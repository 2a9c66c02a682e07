"""What an affiliate sees: its memberships, its links, and programs to join."""

from collections.abc import Sequence

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload, selectinload

from billing.models import Affiliate, AffiliateLink, AffiliateProgram, AffiliateState
from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.core.errors import SignInRequiredError
from marketplace.core.pagination import Page, paginate
from marketplace.core.permissions import current_actor
from marketplace.identity.models import Organization

PER_PAGE = 24


def memberships_of(organization_id: int) -> Sequence[Affiliate]:
    """An organization's memberships with their programs: active ones first."""
    return db.session.scalars(
        select(Affiliate)
        .where(Affiliate.organization_id == organization_id)
        .options(joinedload(Affiliate.program).selectinload(AffiliateProgram.rules))
        .order_by(Affiliate.state != AffiliateState.ACTIVE, Affiliate.id.desc())
        .limit(200)
    ).all()


def membership(program_id: int, organization_id: int | None) -> Affiliate | None:
    """An organization's membership of one program."""
    return db.session.scalar(
        select(Affiliate).where(
            Affiliate.program_id == program_id, Affiliate.organization_id == organization_id
        )
    )


def find_link(link_id: int) -> AffiliateLink | None:
    """A link with its affiliate and program. Raises SignInRequiredError first."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    return db.session.scalar(
        select(AffiliateLink)
        .where(AffiliateLink.id == link_id)
        .options(joinedload(AffiliateLink.affiliate).joinedload(Affiliate.program))
    )


def links_of(affiliate_id: int) -> Sequence[AffiliateLink]:
    """An affiliate's links, live ones first, the newest first."""
    return db.session.scalars(
        select(AffiliateLink)
        .where(AffiliateLink.affiliate_id == affiliate_id)
        .order_by(AffiliateLink.disabled_at.is_not(None), AffiliateLink.id.desc())
    ).all()


def joinable_programs() -> Select[AffiliateProgram]:
    """Programs that take affiliates: running, of a publisher (and listing) that the public sees."""
    return (
        select(AffiliateProgram)
        .outerjoin(Organization, Organization.id == AffiliateProgram.publisher_id)
        .outerjoin(Listing, Listing.id == AffiliateProgram.listing_id)
        .where(
            AffiliateProgram.closed_at.is_(None),
            AffiliateProgram.paused_at.is_(None),
            or_(AffiliateProgram.publisher_id.is_(None), Organization.suspended_at.is_(None)),
            or_(
                AffiliateProgram.listing_id.is_(None),
                Listing.published_at.is_not(None)
                & Listing.suspended_at.is_(None)
                & Listing.unlisted_at.is_(None),
                Listing.unlisted_at.is_(None),
            ),
        )
    )


def find_joinable(program_id: str) -> AffiliateProgram | None:
    """A program that anybody may read about, by its public id. Raises SignInRequiredError first."""
    if not current_actor().is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    return db.session.scalar(
        joinable_programs()
        .where(AffiliateProgram.public_id == program_id)
        .options(selectinload(AffiliateProgram.rules))
    )


def page_of_programs(organization_id: int, q: str, page: int) -> Page[AffiliateProgram]:
    """Programs of others to join, the platform's first, then by name. Three queries."""
    query = joinable_programs().where(
        or_(
            AffiliateProgram.publisher_id.is_(None),
            AffiliateProgram.publisher_id != organization_id,
        )
    )
    if q:
        like = f"%{_escaped(q)}%"
        query = query.where(
            or_(
                AffiliateProgram.name.ilike(like, escape="\\"),
                Organization.name.ilike(like, escape="\\"),
                Listing.name.ilike(like, escape="\\"),
            )
        )
    return paginate(
        query.options(selectinload(AffiliateProgram.rules)).order_by(
            AffiliateProgram.publisher_id.is_not(None), AffiliateProgram.name, AffiliateProgram.id
        ),
        page=page,
        per_page=PER_PAGE,
    )


def targets_of(program: AffiliateProgram, q: str = "") -> Sequence[Listing]:
    """The listings that a link of this program may lead to, by name; at most fifty."""
    query = (
        select(Listing)
        .join(Listing.publisher)
        .where(
            Listing.published_at.is_not(None),
            Listing.suspended_at.is_(None),
            Listing.unlisted_at.is_(None),
            Organization.suspended_at.is_(None),
        )
        .order_by(Listing.name)
    )
    if program.listing_id is not None:
        query = query.where(Listing.id == program.listing_id)
    elif program.publisher_id is not None:
        query = query.where(Listing.publisher_id == program.publisher_id)
    if q:
        query = query.where(Listing.name.ilike(f"%{_escaped(q)}%", escape="\\"))
    return db.session.scalars(query.limit(50)).all()


def find_target(program: AffiliateProgram, slug: str) -> Listing | None:
    """The listing of that slug, if a link of this program may lead to it."""
    query = select(Listing).where(Listing.slug == slug, Listing.published_at.is_not(None))
    if program.listing_id is not None:
        query = query.where(Listing.id == program.listing_id)
    elif program.publisher_id is not None:
        query = query.where(Listing.publisher_id == program.publisher_id)
    return db.session.scalar(query)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
