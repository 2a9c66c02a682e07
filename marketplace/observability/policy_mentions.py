"""Rows of all parts that speak of a type or tier of the policy by its key; wiring.py connects this.

The lists of types and tiers are read and compared here: a database cannot look into them, and
there are few of these rows.
"""

from collections.abc import Collection, Iterable
from typing import Any

from flask import current_app, has_request_context, url_for
from sqlalchemy import or_, select

from billing.fee_schedules import schedule_in_force
from billing.models import Discount, FeeRule, FeeSchedule, ScheduleState
from marketplace.accreditation.certification.models import CertificationProgram
from marketplace.accreditation.courses.queries import published_versions
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.pipeline.leads.models import RoutingRule
from marketplace.program.applications.models import ProgramRound, RoundState
from marketplace.program.policy.references import Mention


def mentions(types: Collection[str], tiers: Collection[str]) -> list[Mention]:
    """Whatever is in force or still to come and speaks of one of these. Seven queries."""
    return [
        *_fees(types, tiers),
        *_rounds(types, tiers),
        *_courses(types, tiers),
        *_programs(types),
        *_rules(types, tiers),
        *_discounts(tiers),
    ]


def _fees(types: Collection[str], tiers: Collection[str]) -> Iterable[Mention]:
    """Of the schedule in force, of later ones and of drafts."""
    now = clock.now()
    in_force = schedule_in_force(now)
    rows = db.session.execute(
        select(FeeSchedule.version, FeeSchedule.name, FeeRule.partner_type, FeeRule.tier)
        .join(FeeRule, FeeRule.schedule_id == FeeSchedule.id)
        .where(
            or_(FeeRule.partner_type.in_(types), FeeRule.tier.in_(tiers)),
            or_(
                FeeSchedule.id == (in_force.id if in_force else 0),
                FeeSchedule.state == ScheduleState.DRAFT,
                FeeSchedule.effective_from > now,
            ),
        )
        .order_by(FeeSchedule.version)
    )
    seen: dict[Mention, None] = {}
    for version, name, partner_type, tier in rows:
        what = f"Fee schedule {version}, {name},"
        for each in _both([partner_type], [tier], types, tiers, what, "finance.fees"):
            seen[each] = None
    return seen


def _rounds(types: Collection[str], tiers: Collection[str]) -> Iterable[Mention]:
    rows = db.session.execute(
        select(
            ProgramRound.name, ProgramRound.types, ProgramRound.least_tier, ProgramRound.public_id
        )
        .where(ProgramRound.state != RoundState.CLOSED)
        .order_by(ProgramRound.id)
    )
    for name, of_types, least_tier, public_id in rows:
        yield from _both(
            of_types,
            [least_tier],
            types,
            tiers,
            f"Round {name}",
            "applications_staff.round_page",
            round_id=public_id,
        )


def _courses(types: Collection[str], tiers: Collection[str]) -> Iterable[Mention]:
    for version in published_versions():
        content = version.content
        yield from _both(
            content.types,
            [content.min_tier],
            types,
            tiers,
            f"Course {content.title}",
            "courses_staff.index",
        )


def _programs(types: Collection[str]) -> Iterable[Mention]:
    rows = db.session.execute(
        select(CertificationProgram.title, CertificationProgram.partner_types)
        .where(CertificationProgram.is_open)
        .order_by(CertificationProgram.id)
    )
    for title, of_types in rows:
        yield from _both(
            of_types, [], types, (), f"Certification {title}", "certification_staff.queue"
        )


def _rules(types: Collection[str], tiers: Collection[str]) -> Iterable[Mention]:
    rows = db.session.scalars(
        select(RoutingRule).where(RoutingRule.is_active).order_by(RoutingRule.position)
    )
    for row in rows:
        yield from _both(
            row.partner_types,
            [row.least_tier, *row.weights],
            types,
            tiers,
            f"Routing rule {row.name}",
            "leads_staff.rules",
        )


def _discounts(tiers: Collection[str]) -> Iterable[Mention]:
    now = clock.now()
    rows = db.session.execute(
        select(Discount.name, Discount.tiers)
        .where(
            Discount.publisher_id.is_(None),
            Discount.archived_at.is_(None),
            or_(Discount.ends_at.is_(None), Discount.ends_at > now),
        )
        .order_by(Discount.id)
    )
    for name, of_tiers in rows:
        yield from _both([], of_tiers, (), tiers, f"Discount {name}", "selling_staff.discounts")


def _both(
    of_types: Iterable[str],
    of_tiers: Iterable[str],
    types: Collection[str],
    tiers: Collection[str],
    what: str,
    endpoint: str,
    **values: Any,
) -> Iterable[Mention]:
    """What a row says of the types and tiers that are asked for, each once."""
    # The command line has no addresses.
    is_there = has_request_context() and endpoint in current_app.view_functions
    href = url_for(endpoint, **values) if is_there else ""
    for part, own, asked in (("types", of_types, types), ("tiers", of_tiers, tiers)):
        for key in dict.fromkeys(own):
            if key in asked:
                yield Mention(part, key, what, href)
