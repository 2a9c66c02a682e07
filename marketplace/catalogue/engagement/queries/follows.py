"""Who follows what, and what they have not been told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from marketplace.catalogue.models import Follow, Listing, ListingVersion
from marketplace.catalogue.visibility import is_findable
from marketplace.core.database import db
from marketplace.core.markdown import plain_text
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization, User

PER_PAGE = 25


@dataclass(frozen=True)
class News:
    """One thing that one follower has not been told yet."""

    user_id: int
    email: str
    follow_id: int
    slug: str
    headline: str
    summary: str
    # What they follow, by name.
    followed: str


def page_of_follows(user_id: int, page: int) -> Page[Follow]:
    """One page of what the person follows, the newest first."""
    publisher = aliased(Organization)
    query = (
        select(Follow)
        .outerjoin(Follow.listing)
        .outerjoin(publisher, Listing.publisher_id == publisher.id)
        .options(
            contains_eager(Follow.listing).contains_eager(Listing.publisher.of_type(publisher)),
            joinedload(Follow.publisher),
        )
        .where(Follow.user_id == user_id)
        .order_by(Follow.created_at.desc(), Follow.id.desc())
    )
    return paginate(query, page=page, per_page=PER_PAGE)


def follows_publisher(user_id: int | None, publisher_id: int) -> bool:
    """Whether the person follows the publisher."""
    if user_id is None:
        return False
    return (
        db.session.scalar(
            select(Follow.id).where(Follow.user_id == user_id, Follow.publisher_id == publisher_id)
        )
        is not None
    )


def untold_news(told_before: datetime, limit: int) -> Iterator[News]:
    """News that followers who were last told before `told_before` (or never) do not know.

    A listing with several new versions is one piece of news: the newest.
    """
    rows = db.session.execute(_new_versions(told_before).limit(limit)).all()
    told: set[tuple[int, int]] = set()
    for follow, user, listing, version in rows:
        if (follow.id, listing.id) in told:
            continue
        told.add((follow.id, listing.id))
        yield News(
            user.id,
            user.email or "",
            follow.id,
            listing.slug,
            f"{listing.name} {version.version} is out",
            plain_text(version.changelog, 300),
            listing.name,
        )
    for follow, user, listing, publisher in db.session.execute(
        _new_listings(told_before).limit(limit)
    ):
        yield News(
            user.id,
            user.email or "",
            follow.id,
            listing.slug,
            f"{publisher.name} published {listing.name}",
            listing.tagline,
            publisher.name,
        )


def _new_versions(
    told_before: datetime,
) -> Select[Follow, User, Listing, ListingVersion]:
    return (
        select(Follow, User, Listing, ListingVersion)
        .join(Follow.user)
        .join(Follow.listing)
        .join(Listing.publisher)
        .join(
            ListingVersion,
            and_(
                ListingVersion.listing_id == Listing.id,
                ListingVersion.created_at > func.coalesce(Follow.told_at, Follow.created_at),
            ),
        )
        .where(*_may_be_told(told_before))
        .order_by(Follow.id, ListingVersion.released_on.desc(), ListingVersion.id.desc())
    )


def _new_listings(told_before: datetime) -> Select[Follow, User, Listing, Organization]:
    return (
        select(Follow, User, Listing, Organization)
        .join(Follow.user)
        .join(Follow.publisher)
        .join(
            Listing,
            and_(
                Listing.publisher_id == Organization.id,
                Listing.published_at > func.coalesce(Follow.told_at, Follow.created_at),
            ),
        )
        .where(*_may_be_told(told_before))
        .order_by(Follow.id, Listing.published_at.desc(), Listing.id)
    )


def _may_be_told(told_before: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        is_findable(),
        or_(Follow.told_at.is_(None), Follow.told_at <= told_before),
        User.deactivated_at.is_(None),
        User.email.is_not(None),
        User.email_verified.is_(True),
    )
