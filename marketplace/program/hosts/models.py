"""Hosts that answer beside the site's own."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id, text_enum


class HostKind(enum.StrEnum):
    """What a host shows."""

    # The program's portal, under the site's own name.
    PROGRAM = "program"
    # A partner's own and resold listings, under the partner's name.
    WHITE_LABEL = "white_label"


class HostState(enum.StrEnum):
    """Whether a host answers."""

    # Asked for by a partner; not proven yet.
    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"


class MappedHost(Base):
    """A host, and whose face it has. `challenge` is what its TXT record must say."""

    __tablename__ = "mapped_host"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # Lower case, ASCII, without port.
    host: Mapped[str] = mapped_column(String(253), unique=True)
    kind: Mapped[HostKind] = mapped_column(text_enum(HostKind))
    state: Mapped[HostState] = mapped_column(text_enum(HostState), index=True)
    # The white-label partner; none for the program's own hosts.
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organization.id"), index=True)
    challenge: Mapped[str] = mapped_column(String(64))
    # "dns", or "staff" when a person approved it.
    proven_by: Mapped[str] = mapped_column(String(10), default="")
    proven_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    # What the last look at the record came to, in words.
    check_result: Mapped[str] = mapped_column(String(300), default="")
    brand_name: Mapped[str] = mapped_column(String(80), default="")
    brand_color: Mapped[str] = mapped_column(String(7), default="")
    logo_key: Mapped[str] = mapped_column(String(200), default="")
    contact: Mapped[str] = mapped_column(String(254), default="")
    # Set by staff: the mail server must be allowed to send for it.
    sender_address: Mapped[str] = mapped_column(String(254), default="")
    created_by_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)


class HostPerson(Base):
    """Somebody whose account was made on a white-label host: mail to them carries its brand."""

    __tablename__ = "host_person"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    host_id: Mapped[int] = mapped_column(
        ForeignKey("mapped_host.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
