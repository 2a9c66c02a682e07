"""Writing down what probes saw: counts by day, the app's state, incidents."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue
from marketplace.core.once import insert_if_new
from marketplace.installs.health.probes import Probed
from marketplace.installs.health.uptime import Standing, Turn, after_probe
from marketplace.installs.models import App, HealthDay, HealthIncident, HealthState

TELL = "health.tell"


def record_probes(found: Iterable[Probed]) -> None:
    """Note each probe. Flushes; one transaction should hold some dozens at most."""
    at = clock.now()
    for probed in sorted(found, key=lambda each: each.app_id):
        app = db.session.scalar(
            select(App)
            .where(App.id == probed.app_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        # Archived, or without an address, since it was asked.
        if app is None or app.archived_at is not None or not app.status_url:
            continue
        _count(probed, at)
        _stand(app, probed, at)
    db.session.flush()


def _count(probed: Probed, at: datetime) -> None:
    day = at.date()
    insert_if_new(HealthDay, app_id=probed.app_id, day=day, answered=0, failed=0)
    counted = HealthDay.answered if probed.answered else HealthDay.failed
    db.session.execute(
        update(HealthDay)
        .where(HealthDay.app_id == probed.app_id, HealthDay.day == day)
        .values({counted: counted + 1})
        .execution_options(synchronize_session=False)
    )


def _stand(app: App, probed: Probed, at: datetime) -> None:
    before = Standing(app.health, app.failed_probes)
    standing, turn = after_probe(before, answered=probed.answered)
    db.session.execute(
        update(App)
        .where(App.id == app.id)
        .values(
            probed_at=at,
            failed_probes=standing.run,
            health=standing.state,
            health_since=app.health_since if standing.state is app.health else at,
            # A probe is no change of the app.
            updated_at=App.updated_at,
        )
        .execution_options(synchronize_session=False)
    )
    if turn is Turn.BEGAN:
        incident = HealthIncident(app_id=app.id, started_at=at, reason=probed.reason)
        db.session.add(incident)
        db.session.flush()
        _tell(app, incident, turn)
    elif turn is Turn.ENDED:
        incidents = db.session.scalars(
            select(HealthIncident).where(
                HealthIncident.app_id == app.id, HealthIncident.ended_at.is_(None)
            )
        )
        for incident in incidents:
            incident.ended_at = at
            _tell(app, incident, turn)


def _tell(app: App, incident: HealthIncident, turn: Turn) -> None:
    record_fact(
        f"app.health_incident_{turn.value}",
        subject=("app", app.public_id),
        organization_id=app.publisher_id,
        data={"reason": incident.reason},
    )
    enqueue(TELL, {"incident_id": incident.id, "turn": turn.value, "after": 0})


def forget_unwatched() -> None:
    """Apps that are not probed any more have no state, and no incident that goes on.

    Nobody is told: whether the app answers is not known.
    """
    at = clock.now()
    unwatched = (App.status_url == "") | App.archived_at.is_not(None)
    db.session.execute(
        update(App)
        .where(unwatched, App.health != HealthState.UNKNOWN)
        .values(
            health=HealthState.UNKNOWN,
            health_since=None,
            failed_probes=0,
            updated_at=App.updated_at,
        )
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(HealthIncident)
        .where(
            HealthIncident.ended_at.is_(None),
            HealthIncident.app_id.in_(select(App.id).where(App.health != HealthState.DOWN)),
        )
        .values(ended_at=at)
        .execution_options(synchronize_session=False)
    )
