"""Campaigns of a partner together with the platform, what they cost, and the leads they bring."""

import enum
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization


class CampaignState(enum.StrEnum):
    """Where a campaign stands. Whether an approved one runs, its days say."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Side(enum.StrEnum):
    """Of whom something is: the partner or the platform."""

    PARTNER = "partner"
    PLATFORM = "platform"


class Campaign(Base):
    """A campaign. Amounts in minor units of `currency`; days are whole, in UTC, and both count."""

    __tablename__ = "campaign"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id"))
    state: Mapped[CampaignState] = mapped_column(
        text_enum(CampaignState), default=CampaignState.REQUESTED, index=True
    )
    title: Mapped[str] = mapped_column(String(80))
    goal: Mapped[str] = mapped_column(Text)
    # What visitors read on the campaign's own page.
    headline: Mapped[str] = mapped_column(String(120))
    pitch: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    currency: Mapped[str] = mapped_column(String(3))
    partner_share: Mapped[int] = mapped_column(Id)
    # What the partner asked for, and what the platform gives.
    asked_share: Mapped[int] = mapped_column(Id)
    platform_share: Mapped[int] = mapped_column(Id, default=0)
    answer: Mapped[str] = mapped_column(Text, default="")
    requested_by_id: Mapped[int | None] = mapped_column(Id)
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship()

    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="days"),
        CheckConstraint(
            "partner_share >= 0 AND asked_share >= 0 AND platform_share >= 0", name="shares"
        ),
    )


class CampaignExpense(Base):
    """What one side spent, or (negative) a correction of what it wrote before. Append-only."""

    __tablename__ = "campaign_expense"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    side: Mapped[Side] = mapped_column(text_enum(Side))
    amount: Mapped[int] = mapped_column(Id)
    spent_on: Mapped[date]
    what: Mapped[str] = mapped_column(String(160))
    # Of the form that was sent: sending it twice writes it once.
    form_id: Mapped[str] = mapped_column(String(40))
    by_user_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (UniqueConstraint("campaign_id", "form_id"),)


class CampaignLead(Base):
    """A person who answered. `held_by` is who got the details; the other side sees them only when
    the person agreed to it (`shares`)."""

    __tablename__ = "campaign_lead"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    held_by: Mapped[Side] = mapped_column(text_enum(Side))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    company: Mapped[str] = mapped_column(String(120), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    shares: Mapped[bool]
    # The words that were agreed to.
    consent_text: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    erased_at: Mapped[datetime | None]

    campaign: Mapped[Campaign] = relationship()

    __table_args__ = (
        UniqueConstraint("campaign_id", "held_by", "email"),
        Index("ix_campaign_lead_campaign_created", "campaign_id", "created_at"),
    )


append_only(CampaignExpense)
