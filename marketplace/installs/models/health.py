"""How often an app answered its probes."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core.database import Base, Id
from marketplace.installs.models.app import App


class HealthDay(Base):
    """The probes of an app on one day (UTC)."""

    __tablename__ = "health_day"

    app_id: Mapped[int] = mapped_column(ForeignKey("app.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    answered: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)


class HealthIncident(Base):
    """A time in which an app did not answer. Installers are told at its begin and its end."""

    __tablename__ = "health_incident"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("app.id"), index=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # What the probe saw, such as "answered 503" or "no answer within 3 s".
    reason: Mapped[str] = mapped_column(String(200), default="")

    app: Mapped[App] = relationship()
