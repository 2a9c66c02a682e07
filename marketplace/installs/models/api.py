"""What the API remembers of its clients: calls, and answers to requests that may be repeated."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.installs.models.app import Environment


class ApiCall(Base):
    """A call of the API by a token, for its developers; without bodies and without secrets."""

    __tablename__ = "api_call"
    __table_args__ = (Index("ix_api_call_owner", "organization_id", "environment", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # The partner whose credential it was.
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    environment: Mapped[Environment] = mapped_column(text_enum(Environment))
    app_id: Mapped[int | None] = mapped_column(ForeignKey("app.id"))
    installation_id: Mapped[int | None] = mapped_column(ForeignKey("installation.id"))
    # Which credential, such as "key …a1b2" or "app token".
    credential: Mapped[str] = mapped_column(String(60))
    method: Mapped[str] = mapped_column(String(10))
    path: Mapped[str] = mapped_column(String(300))
    status: Mapped[int]
    # The `code` of the problem document, if it was one.
    problem: Mapped[str] = mapped_column(String(80), default="")
    duration_ms: Mapped[int]
    request_id: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


class IdempotentAnswer(Base):
    """What a POST with an Idempotency-Key was answered; the same request gets it again."""

    __tablename__ = "idempotent_answer"
    __table_args__ = (UniqueConstraint("owner", "key"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # The credential's owner, such as "key:12" or "grant:7".
    owner: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(255))
    # SHA-256 of method, path and body: the same key for another request is refused.
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    body: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
