"""What the staff wrote to partners that went quiet."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.database import Base, Id


class PartnerMessage(Base):
    """A mail to a partner's owners and admins. `form_key`: a form is sent once."""

    __tablename__ = "partner_message"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    by_user_id: Mapped[int] = mapped_column(Id)
    subject: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    receivers: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime] = mapped_column(default=clock.now)
    form_key: Mapped[str] = mapped_column(String(60), unique=True)

    __table_args__ = (Index("ix_partner_message_organization", "organization_id", "sent_at"),)
