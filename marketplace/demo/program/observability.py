"""Some weeks of visitors, measured as they are in production, and the reports of last month."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from marketplace.catalogue.exposure import Placement
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.unit_of_work import unit_of_work
from marketplace.identity.models import Membership, Organization, OrganizationKind, Role, User
from marketplace.observability.analytics.jobs import measure_views
from marketplace.observability.analytics.models import (
    ExposureCount,
    ExposureKind,
    Sighting,
    VisitorSalt,
)
from marketplace.observability.analytics.storing import Seen, store
from marketplace.observability.analytics.visits import Browser
from marketplace.observability.reports import services
from marketplace.observability.reports.models import ReportScope
from marketplace.program.standing.models import Standing

DAYS = 45
MOST_LISTINGS = 12
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
# Where people come from, and how many of those who see a listing there open it.
PLACES = (
    (Placement.SEARCH, 8, 0.35),
    (Placement.CATEGORY, 5, 0.25),
    (Placement.HOME, 6, 0.12),
    (Placement.COLLECTION, 2, 0.3),
    (Placement.PARTNER, 2, 0.4),
    (Placement.SIMILAR, 2, 0.2),
)
PARTNERS = ("tidewater-labs", "granite-peak", "quillbright", "meridian-quay")


def load(tell: Callable[[str], None]) -> None:
    """Let visitors come, unless some came already. Commits."""
    if db.session.scalar(select(func.count()).select_from(ExposureCount)):
        return
    listings = _listings()
    if not listings:
        return
    chance = random.Random(92)  # noqa: S311 - the same demo every time
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=back) for back in range(DAYS, 0, -1)]
    seen = [each for day in days for each in _visits(chance, day, listings)]
    db.session.rollback()
    with db.engine.begin() as connection:
        count = store(connection, seen)
        # As the hourly job does once a day is over.
        for table in (Sighting, VisitorSalt):
            connection.execute(delete(table).where(table.day < clock.now().date()))
    with unit_of_work():
        for day in days:
            measure_views(day.date())
    made = _reports()
    tell(f"{count:,} impressions and views of listings, and {made} activity reports")


def _listings() -> list[tuple[int, int, int]]:
    """Id, publisher and popularity of some listings: the demo's partners' first."""
    own = Organization.slug.in_(PARTNERS)
    rows = db.session.execute(
        select(Listing.id, Listing.publisher_id, Listing.popularity)
        .join(Organization, Organization.id == Listing.publisher_id)
        .where(Listing.published_at.is_not(None), Listing.suspended_at.is_(None))
        .order_by(own.desc(), Listing.popularity.desc(), Listing.id)
        .limit(MOST_LISTINGS)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _visits(
    chance: random.Random, day: datetime, listings: list[tuple[int, int, int]]
) -> list[Seen]:
    """A day's visitors: fewer at weekends, more for what is popular, some more every week."""
    found: list[Seen] = []
    age = (clock.now() - day).days
    busy = (0.5 if day.weekday() >= 5 else 1.0) * (1.6 - age / DAYS)
    for number in range(round(9 * busy) + chance.randrange(4)):
        browser = Browser(f"198.51.100.{number}", f"{AGENT} {day:%Y%m%d}")
        at = day + timedelta(minutes=chance.randrange(7 * 60, 22 * 60))
        places, weights = [each[0] for each in PLACES], [each[1] for each in PLACES]
        placement = chance.choices(places, weights)[0]
        opens = next(each[2] for each in PLACES if each[0] is placement)
        popular = [8 + popularity for _id, _publisher, popularity in listings]
        for listing_id, publisher_id, _popularity in set(chance.choices(listings, popular, k=3)):
            values = (placement, listing_id, publisher_id, browser)
            found.append(Seen(at, ExposureKind.IMPRESSION, *values))
            if chance.random() < opens:
                found.append(Seen(at, ExposureKind.VIEW, *values))
        if chance.random() < 0.15:
            listing_id, publisher_id, _popularity = chance.choice(listings)
            values = (Placement.DIRECT, listing_id, publisher_id, browser)
            found.append(Seen(at, ExposureKind.VIEW, *values))
    return found


def _reports() -> int:
    """Switch the schedules on, and make the reports of the last month."""
    manager = db.session.scalar(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(
            Organization.kind == OrganizationKind.PLATFORM,
            Membership.role == Role.PROGRAM_MANAGER,
        )
        .order_by(User.id)
        .limit(1)
    )
    if manager is None:
        return 0
    month, made = services.month_before(clock.now()), 0
    with unit_of_work():
        for scope in ReportScope:
            services.set_schedule(
                scope, is_on=True, day=1, staff_ids=[manager.id], by_user_id=manager.id
            )
        partners = db.session.scalars(
            select(Organization)
            .join(Standing, Standing.organization_id == Organization.id)
            .where(Organization.slug.in_(PARTNERS))
        ).all()
        for scope, organization in (
            (ReportScope.PROGRAM, None),
            *((ReportScope.PARTNER, each) for each in partners),
        ):
            cause = services.scheduled_cause(
                scope, organization.id if organization else None, month
            )
            made += services.make_report(scope, organization, month, cause=cause) is not None
    return made
