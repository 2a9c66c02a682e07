"""Versions of the policy. A published version never changes; a draft does until it is published."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, event, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class PolicyState(enum.StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    PUBLISHED = "published"
    # A draft that was given up.
    DISCARDED = "discarded"


class PolicyVersion(Base):
    """A version of the whole policy. `number` is given when it is published, from 1 on without
    gaps; in force is the published version with the latest `effective_at` that has come, the
    greater number when two begin at once."""

    __tablename__ = "policy_version"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    number: Mapped[int | None] = mapped_column(unique=True)
    state: Mapped[PolicyState] = mapped_column(text_enum(PolicyState), default=PolicyState.DRAFT)
    name: Mapped[str] = mapped_column(String(120), default="")
    document: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    # The version that a draft was begun from.
    based_on_id: Mapped[int | None] = mapped_column(ForeignKey("policy_version.id"))
    note: Mapped[str] = mapped_column(Text, default="")
    effective_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(Id)
    # Changed with each saving of a draft: two editors notice each other.
    edition: Mapped[int] = mapped_column(default=1)

    __table_args__ = (Index("ix_policy_version_state", "state", "effective_at"),)


# A version that was published stays as it was.
SQLITE_TRIGGERS = (
    "CREATE TRIGGER policy_version_stays BEFORE UPDATE ON policy_version "
    "WHEN OLD.state = 'published' "
    "BEGIN SELECT RAISE(ABORT, 'a published policy stays as it is'); END",
    "CREATE TRIGGER policy_version_is_kept BEFORE DELETE ON policy_version "
    "WHEN OLD.state = 'published' "
    "BEGIN SELECT RAISE(ABORT, 'a published policy is kept'); END",
)
POSTGRESQL_TRIGGERS = (
    "CREATE FUNCTION policy_version_stays() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF OLD.state = 'published' THEN "
    "RAISE EXCEPTION 'a published policy stays as it is'; END IF; "
    "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER policy_version_stays BEFORE UPDATE OR DELETE ON policy_version "
    "FOR EACH ROW EXECUTE FUNCTION policy_version_stays()",
)


@event.listens_for(PolicyVersion.__table__, "after_create")
def _create_triggers(_table: Any, connection: Any, **_options: Any) -> None:
    sqlite = connection.dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        connection.execute(text(statement))
