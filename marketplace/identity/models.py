"""People, the organizations they act for, and their sign-ins."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class OrganizationKind(enum.StrEnum):
    """What an organization is to the platform; `platform` is the operator's own, one row."""

    CUSTOMER = "customer"
    PARTNER = "partner"
    PLATFORM = "platform"


class Role(enum.StrEnum):
    """What a member may do. The last five are roles in the platform's own organization."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    DEVELOPER = "developer"
    FINANCE = "finance"
    VIEWER = "viewer"
    REVIEWER = "reviewer"
    PROGRAM_MANAGER = "program_manager"
    SUPPORT = "support"


MEMBER_ROLES = (Role.OWNER, Role.ADMIN, Role.EDITOR, Role.DEVELOPER, Role.FINANCE, Role.VIEWER)
STAFF_ROLES = (
    Role.OWNER,
    Role.ADMIN,
    Role.REVIEWER,
    Role.PROGRAM_MANAGER,
    Role.SUPPORT,
    Role.FINANCE,
)


class User(Base):
    """A person. Signs in through one or more identities, never by a password of ours."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str | None] = mapped_column(String(254), index=True)
    email_verified: Mapped[bool] = mapped_column(default=False)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    deactivated_at: Mapped[datetime | None]

    identities: Mapped[list["Identity"]] = relationship(back_populates="user")
    memberships: Mapped[list["Membership"]] = relationship(back_populates="user")


class Identity(Base):
    """An account at a sign-in provider. `issuer` and `subject` name it; the e-mail does not."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    provider: Mapped[str] = mapped_column(String(40))
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(254))
    email_verified: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="identities")


class Organization(Base):
    """A customer, a partner (the publisher of listings) or the platform itself."""

    __tablename__ = "organization"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[OrganizationKind] = mapped_column(text_enum(OrganizationKind), index=True)
    partner_type: Mapped[str | None] = mapped_column(String(40), index=True)
    tagline: Mapped[str] = mapped_column(String(120), default="")
    about: Mapped[str] = mapped_column(Text, default="")
    website: Mapped[str] = mapped_column(String(500), default="")
    country: Mapped[str | None] = mapped_column(String(2))
    brand_color: Mapped[str | None] = mapped_column(String(7))
    logo_key: Mapped[str | None] = mapped_column(String(200))
    verified_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    suspended_reason: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(String(300))
    # A partner's sandbox: a customer that only its partner's people act for, and that nobody
    # else ever sees.
    sandbox_of_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now, index=True)

    memberships: Mapped[list["Membership"]] = relationship(back_populates="organization")

    @property
    def is_partner(self) -> bool:
        return self.kind is OrganizationKind.PARTNER


class Membership(Base):
    """A person's role in an organization, one a pair."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("user_id", "organization_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    role: Mapped[Role] = mapped_column(text_enum(Role))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    user: Mapped[User] = relationship(back_populates="memberships")
    organization: Mapped[Organization] = relationship(back_populates="memberships")


class Invitation(Base):
    """An invitation by mail to join an organization. The link's token is kept as a hash."""

    __tablename__ = "invitation"
    __table_args__ = (Index("ix_invitation_organization_email", "organization_id", "email"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role] = mapped_column(text_enum(Role))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship()
    invited_by: Mapped[User | None] = relationship()


class UserSession(Base):
    """A signed-in browser. The cookie holds a random token, this row its SHA-256."""

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"))
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    ip_address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_seen_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)

    user: Mapped[User] = relationship()
    organization: Mapped[Organization | None] = relationship()
