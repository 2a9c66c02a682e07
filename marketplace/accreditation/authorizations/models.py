"""Authorizations of listings, and what procurement asks of their publisher."""

import enum
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization


class AuthorizationStatus(enum.StrEnum):
    """Where the authority is with it, in the words of the FedRAMP Marketplace."""

    READY = "ready"
    IN_PROCESS = "in_process"
    AUTHORIZED = "authorized"


class CheckState(enum.StrEnum):
    """What our reviewers said of it. Only what was accepted is public."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Authorization(Base):
    """That an authority has authorized (or is about to authorize) a listing at a level."""

    __tablename__ = "listing_authorization"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    # No foreign key: the catalogue is a room above.
    listing_id: Mapped[int] = mapped_column(Id, index=True)
    # A value of schemes.LABELS: scheme and level.
    level: Mapped[str] = mapped_column(String(40), index=True)
    status: Mapped[AuthorizationStatus] = mapped_column(text_enum(AuthorizationStatus))
    sponsor: Mapped[str] = mapped_column(String(120), default="")
    evidence_url: Mapped[str] = mapped_column(String(500))
    authorized_on: Mapped[date | None]
    # The last day on which it counts.
    expires_on: Mapped[date | None] = mapped_column(index=True)
    check: Mapped[CheckState] = mapped_column(text_enum(CheckState), default=CheckState.SUBMITTED)
    submitted_at: Mapped[datetime] = mapped_column(default=clock.now)
    submitted_by_id: Mapped[int | None] = mapped_column(Id)
    remark: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)

    organization: Mapped[Organization] = relationship()

    __table_args__ = (Index("ix_listing_authorization_check", "check", "submitted_at"),)


class ProcurementProfile(Base):
    """What a procurement pack says of a company, one row for each."""

    __tablename__ = "procurement_profile"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), unique=True)
    legal_name: Mapped[str] = mapped_column(String(160), default="")
    registration_number: Mapped[str] = mapped_column(String(80), default="")
    tax_id: Mapped[str] = mapped_column(String(40), default="")
    address: Mapped[str] = mapped_column(String(400), default="")
    security_contact: Mapped[str] = mapped_column(String(120), default="")
    security_email: Mapped[str] = mapped_column(String(254), default="")
    security_url: Mapped[str] = mapped_column(String(500), default="")
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
