"""Claims of benefits."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class ClaimState(enum.StrEnum):
    """Where a claim stands. Refused and withdrawn ones do not count against the year."""

    CLAIMED = "claimed"
    FULFILLED = "fulfilled"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class BenefitYear(Base):
    """A partner's claims of one benefit in one calendar year (UTC): the row that claims are
    counted under, so that two clicks at once wait for each other."""

    __tablename__ = "benefit_year"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    benefit: Mapped[str] = mapped_column(String(40))
    year: Mapped[int]

    __table_args__ = (UniqueConstraint("organization_id", "benefit", "year"),)


class BenefitClaim(Base):
    """One claim. `benefit_name` and `tier` are as they were when it was made."""

    __tablename__ = "benefit_claim"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    benefit: Mapped[str] = mapped_column(String(40))
    benefit_name: Mapped[str] = mapped_column(String(80))
    tier: Mapped[str] = mapped_column(String(40), default="")
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("policy_version.id"))
    year: Mapped[int]
    state: Mapped[ClaimState] = mapped_column(text_enum(ClaimState), default=ClaimState.CLAIMED)
    note: Mapped[str] = mapped_column(Text, default="")
    # What the staff said when they fulfilled or refused it.
    answer: Mapped[str] = mapped_column(Text, default="")
    claimed_by_id: Mapped[int | None] = mapped_column(Id)
    decided_by_id: Mapped[int | None] = mapped_column(Id)
    claimed_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_benefit_claim_organization", "organization_id", "benefit", "year"),
        Index("ix_benefit_claim_state", "state", "claimed_at"),
    )
