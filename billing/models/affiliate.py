"""Affiliates: programs, their rules in versions, links, clicks, and who a sale is credited to."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from billing.models.discount import Funder
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class AttributionModel(enum.StrEnum):
    """Which click counts when there were several."""

    FIRST_CLICK = "first_click"
    LAST_CLICK = "last_click"


class AffiliateState(enum.StrEnum):
    """Where an affiliate's membership of a program is."""

    PENDING = "pending"
    ACTIVE = "active"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    LEFT = "left"


class AffiliateProgram(Base):
    """A program of one listing, of all of a publisher's listings, or of the whole platform.

    `publisher_id` null: the platform's, which then funds the commissions.
    """

    __tablename__ = "affiliate_program"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    publisher_id: Mapped[int | None] = mapped_column(Id, index=True)
    # Null: all listings of the publisher, or of the platform.
    listing_id: Mapped[int | None] = mapped_column(Id, index=True)
    name: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text, default="")
    # Whoever asks joins at once; otherwise the owner of the program decides.
    is_open: Mapped[bool] = mapped_column(default=True)
    attribution: Mapped[AttributionModel] = mapped_column(
        text_enum(AttributionModel), default=AttributionModel.LAST_CLICK
    )
    window_days: Mapped[int] = mapped_column(default=30)
    minimum_payout: Mapped[int] = mapped_column(BigInteger, default=0)
    minimum_currency: Mapped[str | None] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    paused_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    rules: Mapped[list["CommissionRule"]] = relationship(
        back_populates="program", order_by="CommissionRule.version"
    )

    @property
    def funder(self) -> Funder:
        """Who bears its commissions."""
        return Funder.PLATFORM if self.publisher_id is None else Funder.PUBLISHER


class CommissionRule(Base):
    """One version of what a program pays. Never changed: a new rule is a new version."""

    __tablename__ = "commission_rule"
    __table_args__ = (UniqueConstraint("program_id", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("affiliate_program.id"))
    version: Mapped[int]
    effective_from: Mapped[datetime]
    # Of the net price. A fixed amount (in `currency`, for each sale) is added to the share.
    bps: Mapped[int] = mapped_column(default=0)
    fixed: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str | None] = mapped_column(String(3))
    # Paid for the first n payments of a subscription; null: for all; 1: for the first alone.
    # No default: the ORM would put it where null was meant.
    payments: Mapped[int | None]
    # [{"from_sales": 10, "bps": 2500}, …]: the share from the affiliate's nth sale on.
    steps: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    # The most that one sale may earn, in `currency`.
    cap: Mapped[int | None] = mapped_column(BigInteger)
    hold_days: Mapped[int] = mapped_column(default=30)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    program: Mapped[AffiliateProgram] = relationship(back_populates="rules")


class Affiliate(Base):
    """An organization's membership of a program."""

    __tablename__ = "affiliate"
    __table_args__ = (UniqueConstraint("program_id", "organization_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("affiliate_program.id"))
    organization_id: Mapped[int] = mapped_column(Id, index=True)
    state: Mapped[AffiliateState] = mapped_column(text_enum(AffiliateState))
    pitch: Mapped[str] = mapped_column(Text, default="")
    decision_note: Mapped[str] = mapped_column(String(500), default="")
    joined_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    # The key with which its own server registers leads: the hash, and the last characters.
    key_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    key_hint: Mapped[str] = mapped_column(String(8), default="")
    key_made_at: Mapped[datetime | None]

    program: Mapped[AffiliateProgram] = relationship()
    links: Mapped[list["AffiliateLink"]] = relationship(back_populates="affiliate")


class AffiliateLink(Base):
    """A link /r/<code> that leads to a page of ours."""

    __tablename__ = "affiliate_link"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    affiliate_id: Mapped[int] = mapped_column(ForeignKey("affiliate.id"), index=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80), default="")
    # A path of ours, like /listings/tide-tables.
    target: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    disabled_at: Mapped[datetime | None]

    affiliate: Mapped[Affiliate] = relationship(back_populates="links")


class Click(Base):
    """One visit by a link. Names no person: the visitor is a random cookie, kept as a hash, the
    address a hash that changes daily."""

    __tablename__ = "affiliate_click"
    __table_args__ = (
        Index("ix_affiliate_click_visitor", "visitor_hash", "clicked_at"),
        Index("ix_affiliate_click_link", "link_id", "clicked_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("affiliate_link.id"))
    # Null when the visitor did not agree to cookies: counted, but credited by its own address
    # parameter alone.
    visitor_hash: Mapped[str | None] = mapped_column(String(64))
    address_hash: Mapped[str] = mapped_column(String(64), default="")
    sub_id: Mapped[str] = mapped_column(String(80), default="")
    referrer_host: Mapped[str] = mapped_column(String(120), default="")
    is_bot: Mapped[bool] = mapped_column(default=False)
    clicked_at: Mapped[datetime] = mapped_column(default=clock.now)


class Attribution(Base):
    """That a customer came by an affiliate. Its orders are credited by this row."""

    __tablename__ = "attribution"
    __table_args__ = (
        Index("ix_attribution_customer", "organization_id", "program_id"),
        Index(
            "uq_attribution_live",
            "organization_id",
            "program_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("affiliate_program.id"))
    affiliate_id: Mapped[int] = mapped_column(ForeignKey("affiliate.id"), index=True)
    # The customer's organization.
    organization_id: Mapped[int] = mapped_column(Id)
    click_id: Mapped[int | None] = mapped_column(ForeignKey("affiliate_click.id"))
    # click | server (attributed by the affiliate's own server) | handover.
    source: Mapped[str] = mapped_column(String(20))
    sub_id: Mapped[str] = mapped_column(String(80), default="")
    signed_up_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    # Not empty: its commissions begin frozen, for this reason (self-referral, velocity).
    hold_reason: Mapped[str] = mapped_column(String(300), default="")
    ended_at: Mapped[datetime | None]

    affiliate: Mapped[Affiliate] = relationship()


class CommissionClearance(Base):
    """A person has looked at a commission that a rule of fraud held, and released it. The same
    reason holds nothing more between this affiliate and this customer."""

    __tablename__ = "commission_clearance"
    __table_args__ = (
        UniqueConstraint("earning_id", "reason"),
        Index("ix_commission_clearance_pair", "affiliate_id", "organization_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    earning_id: Mapped[int] = mapped_column(ForeignKey("earning.id"))
    affiliate_id: Mapped[int] = mapped_column(ForeignKey("affiliate.id"))
    # The customer's organization.
    organization_id: Mapped[int] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(String(300))
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    decided_at: Mapped[datetime] = mapped_column(default=clock.now)


class AffiliateLead(Base):
    """Somebody whom an affiliate's server announced. Counts for an organization that is founded
    afterwards, by a person who proves the address; the address itself is not kept."""

    __tablename__ = "affiliate_lead"
    __table_args__ = (UniqueConstraint("affiliate_id", "email_hash"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    affiliate_id: Mapped[int] = mapped_column(ForeignKey("affiliate.id"))
    email_hash: Mapped[str] = mapped_column(String(64), index=True)
    sub_id: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
