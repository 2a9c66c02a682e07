"""Listings, their versions and their old addresses."""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalogue.models.category import Category
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization


class ListingStatus(enum.StrEnum):
    """Where a published listing is in its life."""

    ACTIVE = "active"
    BETA = "beta"
    DEPRECATED = "deprecated"
    WITHDRAWN = "withdrawn"


class Listing(Base):
    """A listing. `content` and the columns beside it are what is published; drafts are revisions.

    A listing is public when it was published, neither it nor its publisher is suspended, and it has
    the certification that it needs (`unlisted_at`); a withdrawn one keeps its page as a tombstone
    but leaves search.
    """

    __tablename__ = "listing"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    publisher_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    status: Mapped[ListingStatus] = mapped_column(
        text_enum(ListingStatus), default=ListingStatus.ACTIVE
    )
    status_reason: Mapped[str] = mapped_column(Text, default="")
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"))
    name: Mapped[str] = mapped_column(String(60))
    tagline: Mapped[str] = mapped_column(String(120), default="")
    kind: Mapped[str] = mapped_column(String(20), default="integration")
    pricing_model: Mapped[str] = mapped_column(String(20), default="contact")
    # Copies of two small parts of the content, so that a list need not read the whole of it.
    logo_key: Mapped[str | None] = mapped_column(String(200))
    brand_color: Mapped[str | None] = mapped_column(String(7))
    # The last column of the table: SQLite reads through a large value to reach what follows it.
    content: Mapped[dict[str, Any]] = mapped_column(default=dict, sort_order=100)
    published_revision_id: Mapped[int | None] = mapped_column(
        ForeignKey("revision.id", use_alter=True)
    )
    published_at: Mapped[datetime | None]
    content_updated_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    suspended_reason: Mapped[str | None] = mapped_column(Text)
    certified_at: Mapped[datetime | None]
    # Hidden from the public while it lacks a certification that it needs; the reason is for its
    # publisher. Who has installed it is not affected.
    unlisted_at: Mapped[datetime | None]
    unlisted_reason: Mapped[str | None] = mapped_column(Text)
    use_count: Mapped[int] = mapped_column(default=0)
    rating_count: Mapped[int] = mapped_column(default=0)
    rating_sum: Mapped[int] = mapped_column(default=0)
    # Smoothed rating in hundredths (438 = 4.38), kept so that lists can sort by it.
    rating_hundredths: Mapped[int] = mapped_column(default=0)
    # Views, uses and reviews of late, as one number; see popularity.py.
    popularity: Mapped[int] = mapped_column(default=0)
    source: Mapped[str | None] = mapped_column(String(300))
    # A hash of the line that was imported last: the same line again changes nothing, whatever was
    # edited here since.
    import_digest: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now, index=True)

    publisher: Mapped[Organization] = relationship()
    successor: Mapped["Listing | None"] = relationship(remote_side=[id])
    category_links: Mapped[list["ListingCategory"]] = relationship(
        back_populates="listing",
        order_by="ListingCategory.position",
        cascade="all, delete-orphan",
    )
    categories: AssociationProxy[list[Category]] = association_proxy("category_links", "category")
    versions: Mapped[list["ListingVersion"]] = relationship(
        back_populates="listing",
        order_by="ListingVersion.released_on.desc(), ListingVersion.id.desc()",
        cascade="all, delete-orphan",
    )

    __table_args__ = (
        Index("ix_listing_published_at", "published_at", "id"),
        Index("ix_listing_popularity", "popularity", "id"),
        Index("ix_listing_name", "name"),
        # All that counting what is public needs, so that no row is read for it.
        Index(
            "ix_listing_directory",
            "publisher_id",
            "status",
            "published_at",
            "suspended_at",
            "unlisted_at",
            "popularity",
        ),
    )

    @property
    def is_public(self) -> bool:
        """Whether anybody may see its page (a tombstone included)."""
        return (
            self.published_at is not None
            and self.suspended_at is None
            and self.unlisted_at is None
            and self.publisher.suspended_at is None
        )

    @property
    def is_findable(self) -> bool:
        """Whether search and lists show it."""
        return self.is_public and self.status is not ListingStatus.WITHDRAWN

    @property
    def rating(self) -> float | None:
        """The mean of its ratings, or None without any."""
        return self.rating_sum / self.rating_count if self.rating_count else None


class ListingCategory(Base):
    """A listing's place in a category; position 0 is its main one."""

    __tablename__ = "listing_category"

    listing_id: Mapped[int] = mapped_column(
        ForeignKey("listing.id", ondelete="CASCADE"), primary_key=True
    )
    category_id: Mapped[int] = mapped_column(
        ForeignKey("category.id"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(default=0)

    listing: Mapped[Listing] = relationship(back_populates="category_links")
    category: Mapped[Category] = relationship()


class ListingVersion(Base):
    """A release of the partner's product, with what changed.

    It is public at once; a reviewer looks at it afterwards (`checked_at`).
    """

    __tablename__ = "listing_version"
    __table_args__ = (
        UniqueConstraint("listing_id", "version"),
        Index("ix_listing_version_checked_at", "checked_at", "changed_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id", ondelete="CASCADE"))
    version: Mapped[str] = mapped_column(String(40))
    released_on: Mapped[date]
    changelog: Mapped[str] = mapped_column(Text, default="")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    # When it was added or last corrected; a correction has to be looked at again.
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    checked_at: Mapped[datetime | None]
    # None as well where it came with an import, which counts as checked.
    checked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    listing: Mapped[Listing] = relationship(back_populates="versions")


class SlugRedirect(Base):
    """An address that a listing had before; it leads to the listing for ever."""

    __tablename__ = "slug_redirect"

    slug: Mapped[str] = mapped_column(String(80), primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    listing: Mapped[Listing] = relationship()
