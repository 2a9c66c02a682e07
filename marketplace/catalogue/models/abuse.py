"""Reports of abuse: cases, their decisions and appeals."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.catalogue.models.listing import Listing
from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import User


class CaseState(enum.StrEnum):
    """Where a case is."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    DISMISSED = "dismissed"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"


class AppealState(enum.StrEnum):
    """What became of an appeal."""

    OPEN = "open"
    GRANTED = "granted"
    DENIED = "denied"


class AbuseCase(Base):
    """A report about a listing. `number` is what the reporter is given, like `AB-2026-00012`."""

    __tablename__ = "abuse_case"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    reporter_email: Mapped[str] = mapped_column(String(254), default="")
    # malware, misleading, impersonation, data_misuse, broken, offensive, other
    reason: Mapped[str] = mapped_column(String(40))
    details: Mapped[str] = mapped_column(Text)
    state: Mapped[CaseState] = mapped_column(text_enum(CaseState), default=CaseState.OPEN)
    decision_reason: Mapped[str] = mapped_column(Text, default="")
    assigned_to_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    listing: Mapped[Listing] = relationship()
    reporter: Mapped[User | None] = relationship(foreign_keys=[reporter_id])
    assigned_to: Mapped[User | None] = relationship(foreign_keys=[assigned_to_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])
    appeals: Mapped[list["Appeal"]] = relationship(back_populates="case", order_by="Appeal.id")


class Appeal(Base):
    """A publisher's appeal against a suspension; decided by somebody else than the suspender."""

    __tablename__ = "appeal"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("abuse_case.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[AppealState] = mapped_column(text_enum(AppealState), default=AppealState.OPEN)
    decision_reason: Mapped[str] = mapped_column(Text, default="")
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    case: Mapped[AbuseCase] = relationship(back_populates="appeals")
