"""A workspace that an agency sets up for a client."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import Organization


class HandoverState(enum.StrEnum):
    """Where a workspace is on its way to the client."""

    PREPARING = "preparing"
    OFFERED = "offered"
    HANDED_OVER = "handed_over"


class ClientWorkspace(Base):
    """A customer organization that an agency made for a client. The link that takes it over is kept
    as a hash."""

    __tablename__ = "client_workspace"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), unique=True)
    state: Mapped[HandoverState] = mapped_column(
        text_enum(HandoverState), default=HandoverState.PREPARING
    )
    client_email: Mapped[str] = mapped_column(String(254), default="")
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    offered_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]
    # Whom the client let stay, as an admin.
    kept_user_id: Mapped[int | None] = mapped_column(Id)
    # The attribution by which the agency earns, where its type has a share.
    attribution_id: Mapped[int | None] = mapped_column(Id)

    partner: Mapped[Organization] = relationship(foreign_keys=[partner_id])
    customer: Mapped[Organization] = relationship(foreign_keys=[customer_id])
