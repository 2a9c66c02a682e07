"""What installing measures of partners: live installations by other organizations.

Never in a sandbox, and never at a customer whose owners or admins belong to the partner itself.
"""

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, Role
from marketplace.installs.models import Environment, Installation
from marketplace.program.measures import Measure, measure, measured

BATCH = 500
SOURCE = "installation"


def measure_installation(installation: Installation) -> None:
    """That an installation began and, when it is removed, that it ended; each once."""
    publisher_id = installation.app.publisher_id
    if installation.environment is not Environment.LIVE or installation.listing_id is None:
        return
    if installation.uninstalled_at is None:
        if not is_own_account(publisher_id, installation.organization_id):
            _begun(installation, publisher_id)
    elif _was_counted(installation, publisher_id):
        _ended(installation, publisher_id)


def is_own_account(publisher_id: int, customer_id: int) -> bool:
    """Whether a customer is the partner itself, a sandbox, or led by the partner's own people."""
    if publisher_id == customer_id:
        return True
    leads, belongs = aliased(Membership), aliased(Membership)
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    Organization.id == customer_id, Organization.sandbox_of_id.is_not(None)
                )
                | exists().where(
                    leads.organization_id == customer_id,
                    leads.role.in_((Role.OWNER, Role.ADMIN)),
                    belongs.organization_id == publisher_id,
                    belongs.user_id == leads.user_id,
                )
            )
        )
    )


def remeasure() -> int:
    """Measure every installation there is; how many there are."""
    seen = last = 0
    while True:
        rows = db.session.scalars(
            select(Installation)
            .join(Installation.app)
            .where(Installation.id > last)
            .order_by(Installation.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return seen
        for row in rows:
            if row.uninstalled_at is not None and row.environment is Environment.LIVE:
                _measure_past(row)
            else:
                measure_installation(row)
        seen, last = seen + len(rows), rows[-1].id


def _measure_past(installation: Installation) -> None:
    publisher_id = installation.app.publisher_id
    if installation.listing_id is None or is_own_account(
        publisher_id, installation.organization_id
    ):
        return
    if not _was_counted(installation, publisher_id):
        _begun(installation, publisher_id)
    _ended(installation, publisher_id)


def _begun(installation: Installation, publisher_id: int) -> None:
    measure(
        publisher_id,
        Measure.INSTALLS,
        key=f"{installation.public_id}:begun",
        source=(SOURCE, installation.public_id),
        at=installation.installed_at,
    )


def _ended(installation: Installation, publisher_id: int) -> None:
    measure(
        publisher_id,
        Measure.INSTALLS,
        -1,
        key=f"{installation.public_id}:ended",
        source=(SOURCE, installation.public_id),
        at=installation.uninstalled_at,
    )


def _was_counted(installation: Installation, publisher_id: int) -> bool:
    level, _number = measured(publisher_id, Measure.INSTALLS, (SOURCE, installation.public_id))
    return level > 0
