"""Ending installations in sandboxes, without the events and deadlines of a real removal."""

from collections.abc import Sequence

from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.installs.grants import revoke_installation_grants
from marketplace.installs.models import (
    Environment,
    Installation,
    InstallationEvent,
    InstallationState,
)


def end_test_installations(*, app_ids: Sequence[int], actor: Actor, why: str) -> int:
    """Uninstall all test installations of these apps and end their tokens; how many there were.

    `why` is the reason that the grants keep, like `sandbox_reset`.
    """
    at = clock.now()
    rows = db.session.execute(
        select(Installation.id, Installation.app_id).where(
            Installation.app_id.in_(app_ids),
            Installation.environment == Environment.TEST,
            Installation.state != InstallationState.UNINSTALLED,
        )
    ).all()
    ids = [row.id for row in rows]
    if not ids:
        return 0
    db.session.execute(
        update(Installation)
        .where(Installation.id.in_(ids))
        .values(
            state=InstallationState.UNINSTALLED,
            uninstalled_at=at,
            uninstalled_by_id=actor.user_id,
            uninstall_reason="testing",
            pause_cause=None,
            paused_at=None,
        )
        .execution_options(synchronize_session=False)
    )
    db.session.add_all(
        InstallationEvent(
            installation_id=row.id,
            app_id=row.app_id,
            kind="uninstalled",
            user_id=actor.user_id,
            data={"reason": "testing", "cause": why},
            created_at=at,
        )
        for row in rows
    )
    db.session.flush()
    for installation_id in ids:
        revoke_installation_grants(installation_id, why)
    return len(ids)
