"""The monthly reports: asked for every hour, made once."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic
from marketplace.identity.models import Organization
from marketplace.observability.reports import services
from marketplace.observability.reports.models import ActivityReport, ReportScope

TICK_KIND, MAKE_KIND = "reports.look", "reports.make"


@periodic(TICK_KIND, timedelta(hours=1))
def look(_payload: Payload) -> None:
    """Have the reports made that are due and are not there yet, each by a job of its own."""
    now = clock.now()
    month = services.month_before(now)
    for scope, schedule in services.schedules().items():
        due = services.due_at(now, schedule.day)
        if not schedule.is_on or now < due:
            continue
        if schedule.on_since is not None and schedule.on_since > due:
            continue
        owners: list[int | None] = [None]
        if scope is ReportScope.PARTNER:
            owners = [*services.partners_due()]
        made = set(
            db.session.scalars(
                select(ActivityReport.cause).where(
                    ActivityReport.month == month, ActivityReport.scope == scope
                )
            )
        )
        for owner in owners:
            cause = services.scheduled_cause(scope, owner, month)
            if cause not in made:
                payload = {"scope": scope.value, "organization_id": owner, "month": month}
                enqueue(MAKE_KIND, payload, dedupe_key=f"report:{cause}")


@job_handler(MAKE_KIND)
def make(payload: Payload) -> None:
    """Make one. Run again, it finds the report and sends nothing."""
    scope, owner = ReportScope(payload["scope"]), payload["organization_id"]
    organization = db.session.get(Organization, owner) if owner is not None else None
    if owner is not None and organization is None:
        return
    month = str(payload["month"])
    cause = services.scheduled_cause(scope, owner, month)
    services.make_report(scope, organization, month, cause=cause)
