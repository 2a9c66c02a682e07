"""Passports: what we vouched for elsewhere, whom we trust, and what we recognised from others."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id
from marketplace.identity.models import Organization


class PassportExport(Base):
    """A passport that a partner took to another installation (`audience`: that one's issuer id)."""

    __tablename__ = "passport_export"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    audience: Mapped[str] = mapped_column(String(300))
    token: Mapped[str] = mapped_column(Text)
    items: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    expires_at: Mapped[datetime]
    # The other installation told us, signed, that it has accepted so many items.
    accepted_at: Mapped[datetime | None]
    accepted_items: Mapped[int | None]


class TrustedIssuer(Base):
    """Another installation whose passports count here, while it signs with a pinned key."""

    __tablename__ = "passport_issuer"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    issuer: Mapped[str] = mapped_column(String(300), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    # Thumbprints (RFC 7638) of its keys that staff have pinned.
    thumbprints: Mapped[list[str]]
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    added_by_id: Mapped[int | None] = mapped_column(Id)
    removed_at: Mapped[datetime | None]


class PassportImport(Base):
    """A passport that was accepted here, once."""

    __tablename__ = "passport_import"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("passport_issuer.id"))
    passport_uri: Mapped[str] = mapped_column(String(300))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    # What the passport says of the organization.
    document: Mapped[dict[str, Any]]
    imported_at: Mapped[datetime] = mapped_column(default=clock.now)
    imported_by_id: Mapped[int | None] = mapped_column(Id)

    issuer: Mapped[TrustedIssuer] = relationship()

    __table_args__ = (UniqueConstraint("issuer_id", "passport_uri"),)


class Recognition(Base):
    """One thing recognised from another installation, for a while."""

    __tablename__ = "passport_recognition"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("passport_import.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(String(300), default="")
    since: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(Id)

    passport: Mapped[PassportImport] = relationship()
    organization: Mapped[Organization] = relationship()

    __table_args__ = (Index("ix_passport_recognition_of", "organization_id", "expires_at"),)

    @property
    def state(self) -> str:
        """in_force, expired or ended."""
        if self.ended_at is not None:
            return "ended"
        return "in_force" if self.expires_at > clock.now() else "expired"
