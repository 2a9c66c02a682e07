"""Credentials that were issued, and the keys that sign them."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id
from marketplace.identity.models import Organization


class CredentialState(enum.StrEnum):
    """What a credential is worth now; made of its dates, not stored."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class SigningKey(Base):
    """A key of ours. The one without `retired_at` signs; the public half of every key is served
    for ever, so that what it signed can be verified. The private half is sealed, and is erased
    when the key retires."""

    __tablename__ = "credential_signing_key"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # From 1 on: two who begin the next key at once begin one.
    number: Mapped[int] = mapped_column(unique=True)
    # The key's thumbprint (RFC 7638).
    kid: Mapped[str] = mapped_column(String(64), unique=True)
    public_jwk: Mapped[dict[str, Any]]
    sealed_private: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    retired_at: Mapped[datetime | None]
    retired_by_id: Mapped[int | None] = mapped_column(Id)


class Credential(Base):
    """One Open Badges 3.0 credential of a person (`user_id`) or of an organization."""

    __tablename__ = "credential"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # What it was issued for, once per key.
    issue_key: Mapped[str] = mapped_column(String(160), unique=True)
    # Which achievement: `course:<public id>`, `certification:…`, `manual:<public id>`.
    achievement: Mapped[str] = mapped_column(String(120), index=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    recipient_name: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    criteria: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(Text, default="")
    revoked_by_id: Mapped[int | None] = mapped_column(Id)
    # Its holder agreed that the public page says their name.
    shows_name: Mapped[bool] = mapped_column(default=False)
    # When its holder was reminded that it expires, and when others were told that it has.
    reminded_at: Mapped[datetime | None]
    expiry_told_at: Mapped[datetime | None]
    # The signed credential (VC-JWT), as it was given out.
    token: Mapped[str] = mapped_column(Text, default="")

    organization: Mapped[Organization] = relationship()

    __table_args__ = (
        Index("ix_credential_organization_user", "organization_id", "user_id"),
        Index("ix_credential_revoked", "revoked_at"),
    )

    def state_at(self, at: datetime) -> CredentialState:
        """What it is worth at a moment."""
        if self.revoked_at is not None and self.revoked_at <= at:
            return CredentialState.REVOKED
        if self.expires_at is not None and self.expires_at <= at:
            return CredentialState.EXPIRED
        return CredentialState.VALID

    @property
    def state(self) -> CredentialState:
        """What it is worth now."""
        return self.state_at(clock.now())
