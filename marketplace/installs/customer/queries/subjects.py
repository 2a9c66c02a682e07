"""What a rule can be about: listings and publishers, found by words or by address."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select

from marketplace.catalogue.models import Listing
from marketplace.catalogue.visibility import findable_listings, public_listings
from marketplace.core.database import db
from marketplace.identity.models import Organization, OrganizationKind

FOUND = 8


def search_listings(q: str) -> Sequence[Listing]:
    """A few public listings whose name or slug has the words, the most popular first."""
    text = q.lower()
    return db.session.scalars(
        findable_listings()
        .where(
            or_(
                func.lower(Listing.name).contains(text, autoescape=True),
                Listing.slug.contains(text, autoescape=True),
            )
        )
        .order_by(Listing.popularity.desc(), Listing.id)
        .limit(FOUND)
    ).all()


def search_publishers(q: str) -> Sequence[Organization]:
    """A few publishers whose name or slug has the words."""
    text = q.lower()
    return db.session.scalars(
        select(Organization)
        .where(
            Organization.kind == OrganizationKind.PARTNER,
            Organization.suspended_at.is_(None),
            or_(
                func.lower(Organization.name).contains(text, autoescape=True),
                Organization.slug.contains(text, autoescape=True),
            ),
        )
        .order_by(func.lower(Organization.name), Organization.id)
        .limit(FOUND)
    ).all()


def find_subject(target: str) -> Listing | Organization | None:
    """The listing or publisher of `listing:<slug>`, `publisher:<slug>`, an address or a slug."""
    target = target.strip()
    kind, colon, slug = target.partition(":")
    if not colon or kind not in {"listing", "publisher"}:
        path = target.split("?")[0].split("#")[0].rstrip("/")
        kind = "publisher" if "/partners/" in path else "listing"
        slug = path.rsplit("/", 1)[-1].lower()
    if not slug or "\x00" in slug:
        return None
    if kind == "listing":
        return db.session.scalar(public_listings().where(Listing.slug == slug))
    return db.session.scalar(
        select(Organization).where(
            Organization.slug == slug, Organization.kind == OrganizationKind.PARTNER
        )
    )
