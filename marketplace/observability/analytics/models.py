"""What is counted of listings that were seen, and for two days by whom, without knowing who."""

import enum
from datetime import date, datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.catalogue.exposure import Placement
from marketplace.core.database import Base, Id, text_enum


class ExposureKind(enum.StrEnum):
    """An impression: it was among the listings of a page. A view: its own page was opened."""

    IMPRESSION = "impression"
    VIEW = "view"


class ExposureCount(Base):
    """How many visitors saw a listing in half an hour, each counted once a day (UTC): an
    impression once for each placement, a view once, for the placement that led to it first."""

    __tablename__ = "exposure_count"

    # The half hour's beginning.
    slot: Mapped[datetime] = mapped_column(primary_key=True)
    listing_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    kind: Mapped[ExposureKind] = mapped_column(text_enum(ExposureKind), primary_key=True)
    placement: Mapped[Placement] = mapped_column(text_enum(Placement), primary_key=True)
    # The publisher when it was seen. No foreign keys: what was counted outlives them.
    organization_id: Mapped[int] = mapped_column(Id)
    count: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_exposure_count_organization", "organization_id", "slot"),)


class Sighting(Base):
    """That a visitor was counted today: kept until the day after, to count nobody twice."""

    __tablename__ = "exposure_sighting"

    day: Mapped[date] = mapped_column(primary_key=True)
    # Of a day's secret salt, address and browser (or session): without the salt it is noise.
    visitor: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[ExposureKind] = mapped_column(text_enum(ExposureKind), primary_key=True)
    # The placement of an impression; empty for a view.
    spot: Mapped[str] = mapped_column(String(20), primary_key=True)
    listing_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)


class VisitorSalt(Base):
    """The secret of a day (UTC). Thrown away with its sightings: nobody can be recognized."""

    __tablename__ = "visitor_salt"

    day: Mapped[date] = mapped_column(primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))
