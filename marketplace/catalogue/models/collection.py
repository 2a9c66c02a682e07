"""Collections that the operator curates."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalogue.models.listing import Listing
from marketplace.core import clock
from marketplace.core.database import Base, Id


class Collection(Base):
    """An ordered choice of listings, shown between `starts_at` and `ends_at` when published."""

    __tablename__ = "collection"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    is_published: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)

    items: Mapped[list["CollectionItem"]] = relationship(
        back_populates="collection",
        order_by="CollectionItem.position",
        cascade="all, delete-orphan",
    )


class CollectionItem(Base):
    """A listing's place in a collection."""

    __tablename__ = "collection_item"

    collection_id: Mapped[int] = mapped_column(
        ForeignKey("collection.id", ondelete="CASCADE"), primary_key=True
    )
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(default=0)
    blurb: Mapped[str] = mapped_column(String(200), default="")

    collection: Mapped[Collection] = relationship(back_populates="items")
    listing: Mapped[Listing] = relationship()
