"""Managed services, and evidence of how they are run."""

import enum
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization


class ManagedService(Base):
    """A service that a partner runs for customers, and what it promises."""

    __tablename__ = "managed_service"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    title: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text, default="")
    # In words: every day, around the clock; Monday to Friday, 8 to 18, Europe/Berlin.
    hours: Mapped[str] = mapped_column(String(200))
    # Promised: minutes until somebody answers, and availability in hundredths of a percent.
    response_minutes: Mapped[int]
    availability_bps: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    ended_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship()


class EvidenceKind(enum.StrEnum):
    """What a piece of evidence shows."""

    SLA_REPORT = "sla_report"
    AUDIT = "audit"
    CUSTOMER = "customer"
    INCIDENT = "incident"


class ServiceEvidenceState(enum.StrEnum):
    """What our reviewers said of it."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    RETURNED = "returned"


class ServiceEvidence(Base):
    """Evidence of one day. Accepted, it counts from that day on."""

    __tablename__ = "service_evidence"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("managed_service.id"), index=True)
    kind: Mapped[EvidenceKind] = mapped_column(text_enum(EvidenceKind))
    dated_on: Mapped[date]
    # What was reached, where the evidence says so.
    response_minutes: Mapped[int | None]
    availability_bps: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="")
    file_name: Mapped[str] = mapped_column(String(120))
    content_type: Mapped[str] = mapped_column(String(60))
    storage_key: Mapped[str] = mapped_column(String(200))
    state: Mapped[ServiceEvidenceState] = mapped_column(
        text_enum(ServiceEvidenceState), default=ServiceEvidenceState.SUBMITTED
    )
    submitted_at: Mapped[datetime] = mapped_column(default=clock.now)
    submitted_by_id: Mapped[int | None] = mapped_column(Id)
    remark: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(Id)

    service: Mapped[ManagedService] = relationship()

    __table_args__ = (Index("ix_service_evidence_state", "state", "submitted_at"),)
