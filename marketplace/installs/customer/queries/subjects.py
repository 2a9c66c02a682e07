"""What a rule can be about: listings and publishers, found by words or by address."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import current_app
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
    """The listing or publisher of `listing:<slug>`, `publisher:<slug>`, an address of this
    marketplace, a slug, or a whole name (when it is the only one of that name)."""
    target = target.strip()
    if not target or "\x00" in target:
        return None
    kind, colon, slug = target.partition(":")
    if colon and kind in {"listing", "publisher"}:
        return _of_slug(kind, slug)
    if "/" in target:
        path = _path_here(target)
        if path is None:
            return None
        kind = "publisher" if "/partners/" in path else "listing"
        return _of_slug(kind, path.rstrip("/").rsplit("/", 1)[-1].lower())
    return _of_slug("listing", target.lower()) or _of_name(target)


def _of_slug(kind: str, slug: str) -> Listing | Organization | None:
    if kind == "listing":
        return db.session.scalar(public_listings().where(Listing.slug == slug))
    return db.session.scalar(
        select(Organization).where(
            Organization.slug == slug, Organization.kind == OrganizationKind.PARTNER
        )
    )


def _of_name(name: str) -> Listing | Organization | None:
    text = " ".join(name.split()).lower()
    found: list[Listing | Organization] = [
        *db.session.scalars(findable_listings().where(func.lower(Listing.name) == text).limit(2)),
        *db.session.scalars(
            select(Organization)
            .where(
                Organization.kind == OrganizationKind.PARTNER,
                Organization.suspended_at.is_(None),
                func.lower(Organization.name) == text,
            )
            .limit(2)
        ),
    ]
    return found[0] if len(found) == 1 else None


def _path_here(address: str) -> str | None:
    """The path of an address of this marketplace, None for one of another site."""
    if "://" not in address and not address.startswith("/"):
        address = f"//{address}"
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    hosts = {"", urlsplit(current_app.config["PUBLIC_URL"]).netloc.lower()}
    return parts.path if parts.netloc.lower() in hosts else None
