"""Joining, the tasks of a playbook, invitations among partners, and what was dismissed."""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class JoinState(enum.StrEnum):
    """Where somebody who wants to join stands."""

    # The mailed link was not opened yet, or nobody has signed in with it.
    UNFINISHED = "unfinished"
    APPLIED = "applied"
    JOINED = "joined"
    DECLINED = "declined"


class JoinRequest(Base):
    """What somebody who wants to join said about their organization.

    The link to go on has a token, of which the hash is kept. Nothing exists of the organization
    until it is admitted.
    """

    __tablename__ = "join_request"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    partner_type: Mapped[str] = mapped_column(String(40))
    state: Mapped[JoinState] = mapped_column(text_enum(JoinState), default=JoinState.UNFINISHED)
    # The organization that joins, when there is one already; the one that came of it later.
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    organization_name: Mapped[str] = mapped_column(String(80), default="")
    website: Mapped[str] = mapped_column(String(500), default="")
    country: Mapped[str | None] = mapped_column(String(2))
    name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="", index=True)
    answers: Mapped[dict[str, Any]]
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    application_id: Mapped[int | None] = mapped_column(Id, unique=True)
    invite_id: Mapped[int | None] = mapped_column(ForeignKey("partner_invite.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime | None]
    joined_at: Mapped[datetime | None]
    # How often the first owner was invited.
    owner_invited: Mapped[int] = mapped_column(default=0)


class JoinAsk(Base):
    """Somebody asks the owners of an existing organization to be invited."""

    __tablename__ = "join_ask"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(Id)
    accepted: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (Index("ix_join_ask_organization", "organization_id", "email", "created_at"),)


class PartnerInvite(Base):
    """A partner invites another organization to the program. The code's hash is kept."""

    __tablename__ = "partner_invite"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    inviter_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    email: Mapped[str] = mapped_column(String(254))
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    joined_organization_id: Mapped[int | None] = mapped_column(Id)
    joined_at: Mapped[datetime | None]
    # Whether the inviter was credited, and why not: `self`, `repeated`.
    credited: Mapped[bool] = mapped_column(default=False)
    not_credited_because: Mapped[str] = mapped_column(String(20), default="")

    __table_args__ = (UniqueConstraint("inviter_id", "email"),)


class TaskSide(enum.StrEnum):
    """Who must do a task."""

    PARTNER = "partner"
    OPERATOR = "operator"


class PartnerTask(Base):
    """A task of the playbook that was in force when a partner joined. It stays as it was when the
    policy changes later. `due_at` is the last second of its day in UTC."""

    __tablename__ = "partner_task"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy_version.id"))
    partner_type: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text, default="")
    side: Mapped[TaskSide] = mapped_column(text_enum(TaskSide))
    # The day on which the partner joined (UTC), from which the days are counted.
    begun_on: Mapped[date]
    due_at: Mapped[datetime]
    place: Mapped[int] = mapped_column(default=0)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(Id)
    reminded_at: Mapped[datetime | None]
    reminded_late_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("organization_id", "partner_type", "key", "begun_on"),
        Index("ix_partner_task_due", "side", "done_at", "due_at"),
    )

    @property
    def is_late(self) -> bool:
        """Whether it should have been done by now."""
        return self.done_at is None and self.due_at < clock.now()


class StartDismissal(Base):
    """A partner that has finished getting started put the page away."""

    __tablename__ = "start_dismissal"

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("organization.id"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_user_id: Mapped[int | None] = mapped_column(Id)
