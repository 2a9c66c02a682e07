"""The tables: who compares with whom, lists as keyed hashes, receipts, the shared workspace."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum


class CheckState(enum.StrEnum):
    """An account check works while both have accepted it."""

    INVITED = "invited"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    ENDED = "ended"


class Level(enum.StrEnum):
    """What both learn."""

    COUNTS = "counts"  # how many customers they share
    NAMES = "names"  # which of their own entries match


class AccountCheck(Base):
    """Two partners that compare their customers. Nobody else ever learns that it exists."""

    __tablename__ = "account_check"
    __table_args__ = (
        Index(
            "uq_account_check_pair",
            "pair",
            unique=True,
            sqlite_where=text("state IN ('invited', 'accepted')"),
            postgresql_where=text("state IN ('invited', 'accepted')"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # Both ids, the smaller one first: `3:17`.
    pair: Mapped[str] = mapped_column(String(41))
    inviter_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    invitee_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    state: Mapped[CheckState] = mapped_column(text_enum(CheckState))
    level: Mapped[Level] = mapped_column(text_enum(Level))
    message: Mapped[str] = mapped_column(String(500), default="")
    # The pair's own random key, sealed; empty once the check has ended: nothing can be compared.
    key_sealed: Mapped[str] = mapped_column(String(300), default="")
    invited_at: Mapped[datetime] = mapped_column(default=clock.now)
    invited_by_id: Mapped[int | None] = mapped_column(Id)
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(Id)
    ended_at: Mapped[datetime | None]
    # Which of the two ended it.
    ended_by_id: Mapped[int | None] = mapped_column(Id)

    def other_of(self, organization_id: int | None) -> int:
        """The other party."""
        return self.invitee_id if organization_id == self.inviter_id else self.inviter_id


class AccountList(Base):
    """A party's list: how long it is and until when it is kept."""

    __tablename__ = "account_list"
    __table_args__ = (UniqueConstraint("check_id", "organization_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("account_check.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    entries: Mapped[int]
    # SHA-256 over its hashes in order: stands on the receipt.
    digest: Mapped[str] = mapped_column(String(64))
    uploaded_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AccountEntry(Base):
    """One customer of a list as HMAC-SHA-256 under the pair's key: of no use anywhere else."""

    __tablename__ = "account_entry"
    __table_args__ = (UniqueConstraint("list_id", "mac"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("account_list.id"))
    mac: Mapped[str] = mapped_column(String(64), index=True)
    # Since when every list of this party has had it.
    held_since: Mapped[datetime]


class ReceiptKind(enum.StrEnum):
    """What a receipt proves."""

    LIST = "list"  # that a list was handed in at a moment
    ENTRY = "entry"  # since when each of the two has had a customer that both have


class AccountReceipt(Base):
    """A signed statement of what was compared when. Append-only; outlives the lists."""

    __tablename__ = "account_receipt"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("account_check.id"), index=True)
    # Who asked for it.
    organization_id: Mapped[int] = mapped_column(Id)
    kind: Mapped[ReceiptKind] = mapped_column(text_enum(ReceiptKind))
    # What is signed.
    body: Mapped[dict[str, Any]]
    signature: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=clock.now)


class WorkspaceNote(Base):
    """What one of the two writes for both."""

    __tablename__ = "account_workspace_note"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("account_check.id"), index=True)
    organization_id: Mapped[int] = mapped_column(Id)
    by_user_id: Mapped[int | None] = mapped_column(Id)
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    # Of the form that sent it, which says it once.
    form_id: Mapped[str | None] = mapped_column(String(40), unique=True)


append_only(AccountReceipt)
