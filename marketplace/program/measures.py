"""Measurements: what counts about a partner, written down once and never changed.

A measurement is an amount of one measure at a moment. Levels (certified people, live listings) are
+1 when something begins and -1 when it ends; an end that is known ahead (a certificate's expiry) is
written ahead, dated at its day, and taken back by a further measurement when it does not come. So
what was true at any moment is a sum, today and in a replay of last year.
"""

import enum
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Index, String, and_, func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, aliased, mapped_column

from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, db
from marketplace.core.once import insert_if_new


class Measure(enum.StrEnum):
    """What is measured. The amount is 1 (or -1) unless it says otherwise."""

    LEADS_ACCEPTED = "leads_accepted"
    LEADS_QUALIFIED = "leads_qualified"
    DEALS_WON = "deals_won"
    # Minor units, with a currency: what the partner's share of a won deal is worth.
    DEALS_SOURCED = "deals_sourced"
    DEALS_ASSISTED = "deals_assisted"
    # Minor units, with a currency, net of refunds and lost disputes: what customers paid, without
    # tax, for what the partner sold, resold or brought.
    NET_REVENUE = "net_revenue"
    CERTIFIED_PEOPLE = "certified_people"  # a level
    CERTIFIED_LISTINGS = "certified_listings"  # a level
    LISTINGS = "listings"  # a level: published
    INSTALLS = "installs"  # a level: live installations of other organizations
    RATING = "rating"  # hundredths of a star, a measurement for each review
    RESPONSE_MINUTES = "response_minutes"  # minutes from a question to the partner's answer
    TRAINING_SESSIONS = "training_sessions"
    TRAINERS = "trainers"  # a level: registered trainers whose credential is valid
    MANAGERS = "managers"  # a level: named and confirmed partner managers
    EVIDENCE = "evidence"  # accepted evidence of a managed service; its age counts
    PLANS = "plans"  # a level: approved business plans that are current
    VERIFIED = "verified"  # a level: verification in force
    VIEWS = "views"  # distinct sessions that saw a placement, bots excluded
    PARTNERS_INVITED = "partners_invited"  # invited partners that were approved
    ACTIVITY = "activity"  # days on which somebody of the partner used the portal
    CASE_STUDIES = "case_studies"  # a level


class Measurement(Base):
    """One amount of one measure of one organization. Append-only."""

    __tablename__ = "measurement"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    # No foreign key: what was measured outlives an organization.
    organization_id: Mapped[int] = mapped_column(Id)
    measure: Mapped[str] = mapped_column(String(40))
    amount: Mapped[int] = mapped_column(Id)
    # Of amounts of money alone.
    currency: Mapped[str] = mapped_column(String(3), default="")
    counts_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    # What it was measured by, e.g. ("installation", "17").
    source_type: Mapped[str] = mapped_column(String(40))
    source_id: Mapped[str] = mapped_column(String(64))
    idempotency_key: Mapped[str] = mapped_column(String(120), unique=True)

    __table_args__ = (
        Index(
            "ix_measurement_series",
            "organization_id",
            "measure",
            "counts_at",
            "currency",
            "amount",
        ),
        Index("ix_measurement_measure", "measure", "counts_at"),
        Index("ix_measurement_recorded_at", "recorded_at"),
        Index("ix_measurement_source", "source_type", "source_id"),
    )


append_only(Measurement)


def measure(
    organization_id: int,
    what: Measure,
    amount: int = 1,
    *,
    key: str,
    source: tuple[str, object],
    at: datetime | None = None,
    currency: str = "",
) -> bool:
    """Write down a measurement, in the current transaction; False when `key` was measured before.

    `key` names what happened, e.g. `install:17:begun`. `at` (now) may lie ahead. `currency` belongs
    to amounts of money, in minor units.
    """
    row = row_of(organization_id, what, amount, key=key, source=source, at=at, currency=currency)
    return insert_if_new(Measurement, **row) is not None


def row_of(
    organization_id: int,
    what: Measure,
    amount: int = 1,
    *,
    key: str,
    source: tuple[str, object],
    at: datetime | None = None,
    currency: str = "",
) -> dict[str, object]:
    """A measurement for `measure_all`; the arguments are those of `measure`."""
    now = clock.now()
    return {
        "organization_id": organization_id,
        "measure": what.value,
        "amount": amount,
        "currency": currency,
        "counts_at": at or now,
        "recorded_at": now,
        "source_type": source[0],
        "source_id": str(source[1]),
        "idempotency_key": f"{what.value}:{key}",
    }


def measure_all(rows: Sequence[dict[str, object]]) -> None:
    """Write many measurements down together; what was measured before is left out."""
    if not rows:
        return
    dialect = db.session.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    db.session.execute(insert(Measurement).on_conflict_do_nothing(), list(rows))


def stands() -> ColumnElement[bool]:
    """Whether a measurement is a positive one that was not taken back: for the age of the newest.

    Evidence alone is taken back as if it had never been, by a negative amount of the same source
    at the same moment.
    """
    other = aliased(Measurement)
    taken_back = select(other.id).where(
        other.source_type == Measurement.source_type,
        other.source_id == Measurement.source_id,
        other.organization_id == Measurement.organization_id,
        other.measure == Measurement.measure,
        other.counts_at == Measurement.counts_at,
        other.amount < 0,
    )
    return and_(
        Measurement.amount > 0,
        or_(Measurement.measure != Measure.EVIDENCE.value, not_(taken_back.exists())),
    )


def measured(organization_id: int, what: Measure, source: tuple[str, object]) -> tuple[int, int]:
    """What was measured of a source so far: the sum, and the number of measurements."""
    total, number = db.session.execute(
        select(func.sum(Measurement.amount), func.count()).where(
            Measurement.source_type == source[0],
            Measurement.source_id == str(source[1]),
            Measurement.organization_id == organization_id,
            Measurement.measure == what.value,
        )
    ).one()
    return int(total or 0), int(number)


def sums_by_source(
    what: Measure, source_type: str, source_ids: Sequence[object]
) -> dict[tuple[int, str], int]:
    """What was measured of sources so far, by organization and source, in one query."""
    rows = db.session.execute(
        select(Measurement.organization_id, Measurement.source_id, func.sum(Measurement.amount))
        .where(
            Measurement.source_type == source_type,
            Measurement.source_id.in_([str(each) for each in source_ids]),
            Measurement.measure == what.value,
        )
        .group_by(Measurement.organization_id, Measurement.source_id)
    )
    return {(organization_id, source): int(total) for organization_id, source, total in rows}


def bring_to(
    organization_id: int,
    what: Measure,
    total: int,
    *,
    source: tuple[str, object],
    at: datetime | None = None,
    currency: str = "",
) -> int:
    """Measure what is missing until all that was measured of a source is `total`; the difference.

    Told twice, or out of order, it measures nothing more: it goes by what is so now.
    """
    before, number = measured(organization_id, what, source)
    if before != total:
        measure(
            organization_id,
            what,
            total - before,
            key=f"{source[0]}:{source[1]}:{organization_id}:{number}",
            source=source,
            at=at,
            currency=currency,
        )
    return total - before


def replace_by(
    organization_id: int, what: Measure, total: int, *, source: tuple[str, object], at: datetime
) -> int:
    """The same where a source has one amount, such as a rating: what was measured before is taken
    back, and `total` measured anew (0: not at all). So an average and a count stay right, where a
    negative amount takes one measurement back.

    `at` is when the source counts, the same each time: a window that lost only one of the two
    would be wrong.
    """
    before, number = measured(organization_id, what, source)
    if before != total:
        for place, amount in enumerate(each for each in (-before, total) if each):
            key = f"{source[0]}:{source[1]}:{organization_id}:{number + place}"
            measure(organization_id, what, amount, key=key, source=source, at=at)
    return total - before
