"""Who of the staff is there for which partner, and what partners and visitors wrote to them."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class ContactRole(enum.StrEnum):
    """What somebody of the staff is for a partner."""

    PARTNER_MANAGER = "partner_manager"
    MARKETING = "marketing"
    SUPPORT = "support"
    EXECUTIVE_SPONSOR = "executive_sponsor"


class ContactRegion(Base):
    """A part of the world that one person looks after: a list of countries."""

    __tablename__ = "contact_region"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    # ISO 3166-1 alpha-2 codes with spaces between; a country is in one region at most.
    countries: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def codes(self) -> tuple[str, ...]:
        """Its countries."""
        return tuple(self.countries.split())


class ContactAssignment(Base):
    """A person for a role: of one partner, of a country, of a region, or for everybody else.

    `scope` says for whom as one text, so that each has at most one person for a role:
    `organization:17`, `country:DE`, `region:3`, `everybody`.
    """

    __tablename__ = "contact_assignment"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    role: Mapped[ContactRole] = mapped_column(text_enum(ContactRole))
    scope: Mapped[str] = mapped_column(String(40))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    region_id: Mapped[int | None] = mapped_column(ForeignKey("contact_region.id"))
    country: Mapped[str | None] = mapped_column(String(2))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    # Answers while the person is away.
    backup_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    assigned_at: Mapped[datetime] = mapped_column(default=clock.now)
    assigned_by_id: Mapped[int | None] = mapped_column(Id)

    __table_args__ = (UniqueConstraint("role", "scope"),)


class ContactAbsence(Base):
    """Somebody of the staff is away until a moment."""

    __tablename__ = "contact_absence"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id"), primary_key=True, autoincrement=False
    )
    until: Mapped[datetime]
    set_at: Mapped[datetime] = mapped_column(default=clock.now)
    set_by_id: Mapped[int | None] = mapped_column(Id)


class RequestKind(enum.StrEnum):
    """What is wanted."""

    MESSAGE = "message"
    BOOKING = "booking"
    ESCALATION = "escalation"


class RequestState(enum.StrEnum):
    """Whose turn it is."""

    WAITING = "waiting"  # for the staff
    ANSWERED = "answered"
    CLOSED = "closed"


class ContactRequest(Base):
    """A conversation between a partner (or a visitor) and the person who is there for them."""

    __tablename__ = "contact_request"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[RequestKind] = mapped_column(text_enum(RequestKind))
    state: Mapped[RequestState] = mapped_column(
        text_enum(RequestState), default=RequestState.WAITING
    )
    role: Mapped[ContactRole] = mapped_column(text_enum(ContactRole))
    subject: Mapped[str] = mapped_column(String(120))
    # None: a visitor, whose address is below.
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    country: Mapped[str | None] = mapped_column(String(2))
    # Who has it now; None only on an installation without staff.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # Whom it was meant for, when that person was away.
    away_user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # Somebody of the staff handed it to this person: it stays when assignments change.
    is_handed_over: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    # Until when it must be answered: an escalation, and what the partner's tier promises.
    due_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    # For which `due_at` the staff was reminded.
    reminded_for: Mapped[datetime | None]
    # Of a booking.
    minutes: Mapped[int | None]
    agreed_at: Mapped[datetime | None]
    canceled_at: Mapped[datetime | None]
    # The number of the newest calendar entry that was mailed.
    sequence: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        Index("ix_contact_request_inbox", "user_id", "state", "created_at"),
        Index("ix_contact_request_due", "due_at"),
    )


class ContactSlot(Base):
    """A time that was proposed for a booking."""

    __tablename__ = "contact_slot"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("contact_request.id"), index=True)
    starts_at: Mapped[datetime]


class ContactMessage(Base):
    """One message of a conversation."""

    __tablename__ = "contact_message"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("contact_request.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # False for the partner's or the visitor's words; a note of what happened has neither side.
    is_staff: Mapped[bool] = mapped_column(default=False)
    is_note: Mapped[bool] = mapped_column(default=False)
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    # Of the form that sent it, which says it once.
    form_id: Mapped[str | None] = mapped_column(String(40), unique=True)


class ContactMade(Base):
    """The person spoke with the partner by other means: a call, a visit."""

    __tablename__ = "contact_made"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    role: Mapped[ContactRole] = mapped_column(text_enum(ContactRole))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    note: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (Index("ix_contact_made_organization", "organization_id", "role", "at"),)


class ProgramManager(Base):
    """The member whom a partner named to manage the program on its side.

    The person confirms each quarter; the confirmation counts until `ends_at`, a grace after
    `confirm_by`. `measured_until` is the end that is written in the measurements of
    `Measure.MANAGERS`, and `edition` numbers them.
    """

    __tablename__ = "program_manager"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    named_at: Mapped[datetime] = mapped_column(default=clock.now)
    named_by_id: Mapped[int | None] = mapped_column(Id)
    confirmed_at: Mapped[datetime | None]
    confirm_by: Mapped[datetime | None] = mapped_column(index=True)
    # Left the partner: somebody else must be named, and confirm, until `ends_at`.
    departed_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    measured_until: Mapped[datetime | None]
    edition: Mapped[int] = mapped_column(default=0)
    # For which `confirm_by` the person was asked, and asked again.
    asked_for: Mapped[datetime | None]
    warned_for: Mapped[datetime | None]
