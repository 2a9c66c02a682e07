"""Making reports once, sending them, and the schedule."""

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.mail import send_mail
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Membership, Organization, OrganizationKind, User
from marketplace.observability.periods import month_of
from marketplace.observability.reports.models import (
    ActivityReport,
    ReportSchedule,
    ReportScope,
    ReportSending,
)
from marketplace.observability.reports.snapshot import (
    digest_of,
    partner_snapshot,
    program_snapshot,
)
from marketplace.program.scorecards.queries import people_told
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import takes_part

HOUR = 6
LAST_DAY = 28


def month_before(now: datetime) -> str:
    """The last month that is over, in UTC."""
    return f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"


def due_at(now: datetime, day: int) -> datetime:
    """When the last month's reports are due: on that day of the current month, 06:00 UTC."""
    return now.replace(day=day, hour=HOUR, minute=0, second=0, microsecond=0)


def schedules() -> dict[ReportScope, ReportSchedule]:
    """The schedules of all scopes; one that nobody set is off and not stored yet."""
    found = {row.scope: row for row in db.session.scalars(select(ReportSchedule))}
    return {
        scope: found.get(scope) or ReportSchedule(scope=scope, is_on=False, day=1, staff_ids=[])
        for scope in ReportScope
    }


def set_schedule(
    scope: ReportScope, *, is_on: bool, day: int | None, staff_ids: list[int], by_user_id: int
) -> ReportSchedule:
    """Switch a schedule on or off, and say when and for whom. Raises InvalidError by field."""
    if day is None or not 1 <= day <= LAST_DAY:
        raise InvalidError({"day": f"Choose a day from 1 to {LAST_DAY}."})
    known = {user.id for user in staff_people()}
    if set(staff_ids) - known:
        raise InvalidError({"staff": "Choose people of the staff."})
    insert_if_new(
        ReportSchedule, scope=scope, is_on=False, day=day, staff_ids=[], updated_at=clock.now()
    )
    row = lock_row(ReportSchedule, ReportSchedule.scope == scope)
    if row is None:
        raise ConflictError("The schedule was removed.")
    if is_on and not row.is_on:
        row.on_since = clock.now()
    row.is_on, row.day, row.staff_ids = is_on, day, sorted(staff_ids)
    row.updated_by_id = by_user_id
    record_fact(
        "report_schedule.set",
        subject=("report_schedule", scope.value),
        actor_user_id=by_user_id,
        data={"on": is_on, "day": day, "staff": sorted(staff_ids)},
    )
    return row


def staff_people() -> list[User]:
    """The staff that may be named, by name. One query."""
    return list(
        db.session.scalars(
            select(User)
            .join(Membership, Membership.user_id == User.id)
            .join(Organization, Organization.id == Membership.organization_id)
            .where(
                Organization.kind == OrganizationKind.PLATFORM,
                User.deactivated_at.is_(None),
                User.email.is_not(None),
            )
            .order_by(User.name, User.id)
        )
    )


def partners_due() -> list[int]:
    """Ids of the partners that get reports. One query."""
    return list(
        db.session.scalars(
            select(Standing.organization_id)
            .join(Organization, Organization.id == Standing.organization_id)
            .where(takes_part())
            .order_by(Standing.organization_id)
        )
    )


def scheduled_cause(scope: ReportScope, organization_id: int | None, month: str) -> str:
    """The cause of a scheduled report: there is one for each month, whoever makes it."""
    return f"schedule:{scope.value}:{organization_id or 'all'}:{month}"


def make_report(
    scope: ReportScope,
    organization: Organization | None,
    month: str,
    *,
    cause: str,
    by_user_id: int | None = None,
) -> ActivityReport | None:
    """Freeze a month and mail it; None when the same cause made one before.

    Raises InvalidError for a month that is not over.
    """
    times = month_of(month)
    if times is None or times[1] > clock.now():
        raise InvalidError({"month": "Choose a month that is over (in UTC)."})
    site = str(current_app.config["SITE_NAME"])
    data = partner_snapshot(organization, month) if organization else program_snapshot(month, site)
    report_id = insert_if_new(
        ActivityReport,
        public_id=new_public_id("rep"),
        scope=scope,
        organization_id=organization.id if organization else None,
        month=month,
        data=data,
        digest=digest_of(data),
        made_at=clock.now(),
        made_by_id=by_user_id,
        cause=cause[:120],
    )
    if report_id is None:
        return None
    report = db.session.get_one(ActivityReport, report_id)
    record_fact(
        "activity_report.made",
        subject=("activity_report", report.id),
        actor_user_id=by_user_id,
        organization_id=report.organization_id,
        data={"month": month, "digest": report.digest},
    )
    send_report(report, key="first", by_user_id=by_user_id)
    return report


def receivers(report: ActivityReport) -> list[User]:
    """Owners and admins of the partner, and the staff that the schedule names."""
    schedule = schedules()[report.scope]
    named = [user for user in staff_people() if user.id in set(schedule.staff_ids)]
    partners = people_told(report.organization_id) if report.organization_id else []
    return list({user.id: user for user in (*partners, *named)}.values())


def send_report(report: ActivityReport, *, key: str, by_user_id: int | None) -> int:
    """Mail a report to everybody who gets it; how many. The same `key` sends nothing twice."""
    count = 0
    for person in receivers(report):
        sending = f"report:{report.id}:{key}:{person.id}"[:120]
        new = insert_if_new(
            ReportSending,
            report_id=report.id,
            user_id=person.id,
            sent_at=clock.now(),
            by_user_id=by_user_id,
            key=sending,
        )
        if new is None or not person.email:
            continue
        count += 1
        subject, body = _words(report, person)
        send_mail(person.email, subject, body, dedupe_key=sending)
    return count


def _words(report: ActivityReport, person: User) -> tuple[str, str]:
    site, url = str(current_app.config["SITE_NAME"]), current_app.config["PUBLIC_URL"]
    is_staff = report.organization_id is None or not any(
        each.id == person.id for each in people_told(report.organization_id)
    )
    room = "staff" if is_staff else "partner"
    lines = [
        f"{each['label']}: {each['text']} (the month before: {each['text_before']})"
        for each in report.data["figures"]
    ]
    text = "\n".join(lines)
    address = f"{url}/{room}/reports/{report.public_id}"
    return (
        f"{report.data['of']} in {report.month}",
        f"Hello {person.name},\n\nThis is the activity report of {report.data['of']} for "
        f"{report.month} (days in UTC).\n\n{text}\n\nThe whole report: {address}\n"
        f"As PDF: {address}.pdf\n\n{site}\n",
    )
