"""Once an hour: measure the days that are over, and forget who was counted."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from flask import current_app
from sqlalchemy import delete, func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, periodic
from marketplace.observability.analytics.models import (
    ExposureCount,
    ExposureKind,
    Sighting,
    VisitorSalt,
)
from marketplace.observability.analytics.recorder import EXTENSION
from marketplace.program.measures import Measure, measure

JOB_KIND = "exposure.close_days"
# Sightings that other processes still hold get this long after midnight (UTC).
LATE = timedelta(minutes=10)
# Days that are looked at again: a worker may have stood still over a weekend.
LOOK_BACK_DAYS = 14


@periodic(JOB_KIND, timedelta(hours=1))
def close_days(_payload: Payload) -> None:
    """Measure the views of each day that is over, once, and delete old sightings and salts."""
    recorder = current_app.extensions.get(EXTENSION)
    if recorder is not None:
        recorder.flush()
    today = (clock.now() - LATE).date()
    for back in range(LOOK_BACK_DAYS, 0, -1):
        measure_views(today - timedelta(days=back))
    for table in (Sighting, VisitorSalt):
        db.session.execute(delete(table).where(table.day < today))


def measure_views(day: date) -> int:
    """Write down the views of a day (UTC): a measurement for each organization and placement;
    how many were new."""
    return sum(
        measure(
            organization_id,
            Measure.VIEWS,
            count,
            key=f"{organization_id}:{day.isoformat()}:{placement}",
            source=("placement", placement),
            # Within the day, whose views they are.
            at=datetime.combine(day, time(23, 59, 59), tzinfo=UTC),
        )
        for (organization_id, placement), count in _views_of(day).items()
    )


def _views_of(day: date) -> Mapping[tuple[int, str], int]:
    begin = datetime.combine(day, time(0), tzinfo=UTC)
    rows = db.session.execute(
        select(
            ExposureCount.organization_id, ExposureCount.placement, func.sum(ExposureCount.count)
        )
        .where(
            ExposureCount.kind == ExposureKind.VIEW,
            ExposureCount.slot >= begin,
            ExposureCount.slot < begin + timedelta(days=1),
        )
        .group_by(ExposureCount.organization_id, ExposureCount.placement)
        .order_by(ExposureCount.organization_id, ExposureCount.placement)
    )
    return {(each, placement.value): int(total) for each, placement, total in rows}
