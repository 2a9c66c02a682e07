"""Installations of apps by customers: what was granted, by whom, and what happened since."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization, User
from marketplace.installs.models.app import App, Environment


class InstallationState(enum.StrEnum):
    """Where an installation is. Paused: its tokens are refused until it is resumed."""

    ACTIVE = "active"
    PAUSED = "paused"
    UNINSTALLED = "uninstalled"


class PauseCause(enum.StrEnum):
    """Who paused it; only the same side resumes it."""

    CUSTOMER = "customer"
    POLICY = "policy"
    ENTITLEMENT = "entitlement"


class Installation(Base):
    """An app in use by an organization. Installing again after a removal is a new row."""

    __tablename__ = "installation"
    __table_args__ = (
        Index(
            "uq_installation_live",
            "app_id",
            "organization_id",
            unique=True,
            sqlite_where=text("state <> 'uninstalled'"),
            postgresql_where=text("state <> 'uninstalled'"),
        ),
        Index("ix_installation_organization", "organization_id", "state", "id"),
        Index("ix_installation_app", "app_id", "environment", "state", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # `inst_…`; this is what partners and addresses see.
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("app.id"))
    # None only where a sandbox tries an app without a listing.
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"), index=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    environment: Mapped[Environment] = mapped_column(text_enum(Environment))
    state: Mapped[InstallationState] = mapped_column(
        text_enum(InstallationState), default=InstallationState.ACTIVE
    )
    granted_scopes: Mapped[list[str]] = mapped_column(default=list)
    # What the consent page said: {"scopes": [{"scope", "reason"}], "data_shared": [...],
    # "version": "1.4.0" or null}; the next consent shows the difference to it.
    consented_content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    consented_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    consented_at: Mapped[datetime] = mapped_column(default=clock.now)
    installed_at: Mapped[datetime] = mapped_column(default=clock.now)
    # When the app fetched its first token; None: the customer has not finished in the app.
    connected_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    pause_cause: Mapped[PauseCause | None] = mapped_column(text_enum(PauseCause))
    paused_at: Mapped[datetime | None]
    uninstalled_at: Mapped[datetime | None]
    uninstalled_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # not_needed, missing_feature, broken, too_expensive, privacy, other_product, testing, other
    uninstall_reason: Mapped[str] = mapped_column(String(40), default="")
    uninstall_note: Mapped[str] = mapped_column(Text, default="")

    app: Mapped[App] = relationship()
    listing: Mapped[Listing | None] = relationship()
    organization: Mapped[Organization] = relationship()
    consented_by: Mapped[User | None] = relationship(foreign_keys=[consented_by_id])
    uninstalled_by: Mapped[User | None] = relationship(foreign_keys=[uninstalled_by_id])

    @property
    def is_live(self) -> bool:
        """Whether it was not removed."""
        return self.state is not InstallationState.UNINSTALLED


class InstallationEvent(Base):
    """What happened to an installation, for its page and for counting by day."""

    __tablename__ = "installation_event"
    __table_args__ = (Index("ix_installation_event_kind", "app_id", "kind", "created_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    installation_id: Mapped[int] = mapped_column(ForeignKey("installation.id"), index=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("app.id"))
    # installed, connected, upgraded, update_declined, paused, resumed, uninstalled
    kind: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    installation: Mapped[Installation] = relationship()
    user: Mapped[User | None] = relationship()


class ScopeUse(Base):
    """When an installation's app last used a scope; written a little late, see the API."""

    __tablename__ = "scope_use"

    installation_id: Mapped[int] = mapped_column(ForeignKey("installation.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    last_used_at: Mapped[datetime]


class ErasureRequest(Base):
    """A partner must erase a customer's data by `due_at` and confirm it with a receipt."""

    __tablename__ = "erasure_request"
    __table_args__ = (Index("ix_erasure_request_due", "completed_at", "due_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    installation_id: Mapped[int] = mapped_column(ForeignKey("installation.id"), index=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("app.id"), index=True)
    environment: Mapped[Environment] = mapped_column(text_enum(Environment))
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    requested_at: Mapped[datetime] = mapped_column(default=clock.now)
    due_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    # What the partner says it erased, or why something must be kept by law.
    receipt: Mapped[str] = mapped_column(Text, default="")
    reminded_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]

    installation: Mapped[Installation] = relationship()
    app: Mapped[App] = relationship()


class MembersMay(enum.StrEnum):
    """What members who are neither owner nor admin may do about installing."""

    INSTALL = "install"
    REQUEST = "request"
    NOTHING = "nothing"


class RuleVerdict(enum.StrEnum):
    """What a rule of a customer says of a listing or a publisher."""

    ALLOW = "allow"
    BLOCK = "block"


class InstallRequestState(enum.StrEnum):
    """What became of a member's request to install."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class InstallPolicy(Base):
    """How an organization installs; without a row the defaults hold."""

    __tablename__ = "install_policy"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), primary_key=True)
    members_may: Mapped[MembersMay] = mapped_column(
        text_enum(MembersMay), default=MembersMay.REQUEST
    )
    # Only what a rule allows may be installed, by anybody.
    only_allowed: Mapped[bool] = mapped_column(default=False)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)


class InstallRule(Base):
    """Allows or blocks one listing, or all of a publisher, for an organization. A listing's
    rule goes before its publisher's."""

    __tablename__ = "install_rule"
    __table_args__ = (
        UniqueConstraint("organization_id", "listing_id"),
        UniqueConstraint("organization_id", "publisher_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"), index=True)
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    verdict: Mapped[RuleVerdict] = mapped_column(text_enum(RuleVerdict))
    note: Mapped[str] = mapped_column(String(200), default="")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    organization: Mapped[Organization] = relationship(foreign_keys=[organization_id])
    listing: Mapped[Listing | None] = relationship()
    publisher: Mapped[Organization | None] = relationship(foreign_keys=[publisher_id])


class InstallRequest(Base):
    """A member asks the admins to install a listing."""

    __tablename__ = "install_request"
    __table_args__ = (
        Index(
            "uq_install_request_open",
            "organization_id",
            "listing_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    message: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[InstallRequestState] = mapped_column(
        text_enum(InstallRequestState), default=InstallRequestState.OPEN
    )
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    organization: Mapped[Organization] = relationship()
    listing: Mapped[Listing] = relationship()
    requested_by: Mapped[User] = relationship(foreign_keys=[requested_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])
