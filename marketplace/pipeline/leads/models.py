"""The tables: leads, to whom they were offered and why, what was done with them."""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class LeadSource(enum.StrEnum):
    """Where a lead came from."""

    LISTING = "listing"
    PARTNER_PAGE = "partner_page"
    DIRECTORY = "directory"
    CAMPAIGN = "campaign"
    # Registered by a partner itself; qualified by staff before it counts.
    PARTNER = "partner"


class LeadState(enum.StrEnum):
    """Who has it."""

    OFFERED = "offered"  # masked, waits for one partner's answer
    UNPLACED = "unplaced"  # nobody (left) to offer it to; staff decide
    ACCEPTED = "accepted"  # a partner has it, and the contact
    CLOSED = "closed"  # spam, merged into another one, or withdrawn by the person


class LeadStage(enum.StrEnum):
    """How far the partner that has it is."""

    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    PROPOSAL = "proposal"
    WON = "won"
    LOST = "lost"


class Review(enum.StrEnum):
    """What staff say of a lead; qualified ones count."""

    PENDING = "pending"
    QUALIFIED = "qualified"
    REJECTED = "rejected"


class OfferState(enum.StrEnum):
    """An offer is open until it is answered, its deadline passes, or staff take it back."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Method(enum.StrEnum):
    """Whose turn it is among the partners that a rule allows."""

    ROUND_ROBIN = "round_robin"
    WEIGHTED = "weighted"  # a tier's weight says how often


class Lead(Base):
    """Somebody who looks for something. The person's data is for staff and whoever accepted."""

    __tablename__ = "lead"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    source: Mapped[LeadSource] = mapped_column(text_enum(LeadSource))
    # What it came through, e.g. a campaign's public id.
    source_id: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[LeadState] = mapped_column(text_enum(LeadState), index=True)
    stage: Mapped[LeadStage] = mapped_column(text_enum(LeadStage), default=LeadStage.NEW)
    review: Mapped[Review] = mapped_column(text_enum(Review), default=Review.PENDING)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40), default="")
    company: Mapped[str] = mapped_column(String(120), default="")
    website: Mapped[str] = mapped_column(String(253), default="")
    # Normalised, to find duplicates: the address, and the company's domain (empty for free mail).
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    domain_key: Mapped[str] = mapped_column(String(253), default="", index=True)
    need: Mapped[str] = mapped_column(Text)
    budget: Mapped[str] = mapped_column(String(20), default="")
    time_frame: Mapped[str] = mapped_column(String(20), default="")
    country: Mapped[str | None] = mapped_column(String(2), index=True)
    postal_code: Mapped[str] = mapped_column(String(12), default="")
    category: Mapped[str] = mapped_column(String(60), default="")
    listing_id: Mapped[int | None] = mapped_column(Id, index=True)
    # The partner that the customer asked for; the first to be offered it.
    wanted_id: Mapped[int | None] = mapped_column(Id)
    customer_organization_id: Mapped[int | None] = mapped_column(Id, index=True)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    # When and to which words the person agreed that a partner gets the contact.
    consent_at: Mapped[datetime | None]
    consent_text: Mapped[str] = mapped_column(String(300), default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    accepted_at: Mapped[datetime | None]
    lost_reason: Mapped[str] = mapped_column(String(300), default="")
    review_reason: Mapped[str] = mapped_column(String(300), default="")
    reviewed_by_id: Mapped[int | None] = mapped_column(Id)
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("lead.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    touched_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Set when the person's data was removed; what is left counts and says nothing of anybody.
    erased_at: Mapped[datetime | None]

    offers: Mapped[list["LeadOffer"]] = relationship(back_populates="lead", order_by="LeadOffer.id")
    duplicate_of: Mapped["Lead | None"] = relationship(remote_side=[id])

    __table_args__ = (Index("ix_lead_owner_stage", "owner_id", "stage"),)


class LeadOffer(Base):
    """A lead offered to one partner, with a deadline and the reasons why this partner."""

    __tablename__ = "lead_offer"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"), index=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    state: Mapped[OfferState] = mapped_column(text_enum(OfferState), default=OfferState.OPEN)
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("lead_routing_rule.id"), index=True)
    reasons: Mapped[list[str]]
    offered_at: Mapped[datetime] = mapped_column(default=clock.now)
    deadline: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(Id)
    decline_reason: Mapped[str] = mapped_column(String(300), default="")

    lead: Mapped[Lead] = relationship(back_populates="offers")

    __table_args__ = (
        # One partner at a time.
        Index(
            "uq_lead_offer_open",
            "lead_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_lead_offer_partner", "organization_id", "state"),
        Index("ix_lead_offer_deadline", "state", "deadline"),
    )


class RoutingRule(Base):
    """To whom leads go. Rules are tried in order; empty lists allow everything."""

    __tablename__ = "lead_routing_rule"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(index=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    # Which leads: their country, and the category of what they ask for.
    countries: Mapped[list[str]] = mapped_column(default=list)
    categories: Mapped[list[str]] = mapped_column(default=list)
    # Which partners.
    partner_types: Mapped[list[str]] = mapped_column(default=list)
    same_country: Mapped[bool] = mapped_column(default=False)
    # The key of the lowest tier; empty: any.
    least_tier: Mapped[str] = mapped_column(String(40), default="")
    # How many open leads a partner may hold at once; null: any number.
    capacity: Mapped[int | None]
    method: Mapped[Method] = mapped_column(text_enum(Method), default=Method.ROUND_ROBIN)
    # Tier: weight; a tier that is not there has 1.
    weights: Mapped[dict[str, Any]] = mapped_column(default=dict)
    answer_hours: Mapped[int] = mapped_column(default=48)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class LeadNote(Base):
    """What a partner (or staff, when `organization_id` is null) writes beside a lead."""

    __tablename__ = "lead_note"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"), index=True)
    organization_id: Mapped[int | None] = mapped_column(Id)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Of the form that sent it, which says it once.
    form_id: Mapped[str | None] = mapped_column(String(40), unique=True)


class LeadTask(Base):
    """Something to do about a lead, by a day."""

    __tablename__ = "lead_task"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("lead.id"), index=True)
    organization_id: Mapped[int] = mapped_column(Id)
    title: Mapped[str] = mapped_column(String(200))
    due_on: Mapped[date | None]
    done_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    lead: Mapped[Lead] = relationship()


class LeadEvent(Base):
    """What happened to a lead, without anything of the person. Append-only."""

    __tablename__ = "lead_event"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    lead_id: Mapped[int] = mapped_column(Id, index=True)
    kind: Mapped[str] = mapped_column(String(40))
    # The partner that it concerns.
    organization_id: Mapped[int | None] = mapped_column(Id)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    detail: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)


class LeadImport(Base):
    """A file that was read and waits to be confirmed; forgotten after a day."""

    __tablename__ = "lead_import"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    file_name: Mapped[str] = mapped_column(String(120))
    # Each: line, values by field, errors by field.
    rows: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


append_only(LeadEvent)
