"""The first sign of life of an app after it was installed."""

from sqlalchemy import update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.installs.customer.services.recording import record
from marketplace.installs.models import Installation


def mark_connected(installation: Installation, user_id: int | None = None) -> bool:
    """The app fetched its first token for this installation; whether that is new."""
    done = db.session.execute(
        update(Installation)
        .where(Installation.id == installation.id, Installation.connected_at.is_(None))
        .values(connected_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    if getattr(done, "rowcount", 0) != 1:
        return False
    db.session.refresh(installation)
    record(installation, "connected", user_id, tells_partner=False)
    return True
