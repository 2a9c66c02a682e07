"""What organizations declined of updates."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.installs.customer.updates import NOTHING_DECLINED, Declined
from marketplace.installs.models import Installation, InstallationEvent


def declines_of(installation_ids: Sequence[int]) -> dict[int, Declined]:
    """What was declined since each installation's last consent, by its id. One query."""
    if not installation_ids:
        return {}
    rows = db.session.execute(
        select(InstallationEvent.installation_id, InstallationEvent.data)
        .join(InstallationEvent.installation)
        .where(
            InstallationEvent.installation_id.in_(installation_ids),
            InstallationEvent.kind == "update_declined",
            InstallationEvent.created_at >= Installation.consented_at,
        )
    )
    found: dict[int, Declined] = {}
    for installation_id, data in rows:
        found[installation_id] = found.get(installation_id, NOTHING_DECLINED).plus(data or {})
    return found


def declined_at(installation_id: int) -> datetime | None:
    """When an update of the installation was declined last. One query."""
    return db.session.scalar(
        select(InstallationEvent.created_at)
        .where(
            InstallationEvent.installation_id == installation_id,
            InstallationEvent.kind == "update_declined",
        )
        .order_by(InstallationEvent.id.desc())
        .limit(1)
    )
