"""What ends of what partners work on: rounds, plans, ideas, campaigns, vouchers. One query each."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.observability.governance.expiring import Expiring
from marketplace.observability.governance.rows import (
    end_of,
    page_of,
    place_page,
    with_organization,
)
from marketplace.pipeline.campaigns.models import Campaign, CampaignState
from marketplace.pipeline.ideas.models import ClaimState, Idea, IdeaClaim
from marketplace.program.applications.models import (
    BusinessPlan,
    Milestone,
    MilestoneState,
    PlaceState,
    PlanState,
    RoundPlace,
)
from marketplace.program.vouchers.models import Voucher


def gates(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Milestones, gates and criteria of rounds that nothing was handed in for."""
    rows = db.session.execute(
        select(
            Milestone.due_at,
            Milestone.title,
            Organization.id,
            Organization.name,
            RoundPlace.public_id,
        )
        .join(RoundPlace, RoundPlace.id == Milestone.place_id)
        .join(Organization, Organization.id == RoundPlace.organization_id)
        .where(
            Milestone.due_at >= begin,
            Milestone.due_at < end,
            Milestone.state.in_((MilestoneState.OPEN, MilestoneState.RETURNED)),
            RoundPlace.state == PlaceState.ACTIVE,
        )
        .order_by(Milestone.due_at, Milestone.id)
        .limit(most)
    )
    return [
        Expiring("gate", f"{name}: {title}", at, each, place_page(place_id))
        for at, title, each, name, place_id in rows
        if at is not None
    ]


def tracks(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Tracks of accelerators."""
    rows = with_organization(
        RoundPlace.ends_at,
        RoundPlace.public_id,
        model=RoundPlace,
        begin=begin,
        end=end,
        most=most,
        where=[RoundPlace.state == PlaceState.ACTIVE],
    )
    return [
        Expiring("track", f"{name}: its track ends", at, each, place_page(place_id))
        for at, place_id, each, name, _slug in rows
    ]


def plans(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Business plans, which count to the end of their year."""
    years = [
        year
        for year in range(begin.year - 1, end.year + 1)
        if begin <= datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC) < end
    ]
    if not years:
        return []
    rows = db.session.execute(
        select(BusinessPlan.year, BusinessPlan.public_id, Organization.id, Organization.name)
        .join(Organization, Organization.id == BusinessPlan.organization_id)
        .where(BusinessPlan.year.in_(years), BusinessPlan.state == PlanState.APPROVED)
        .order_by(BusinessPlan.year, BusinessPlan.id)
        .limit(most)
    )
    return [
        Expiring(
            "plan",
            f"{name}: plan for {year}",
            datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC),
            each,
            page_of("applications_staff.plan", business_plan_id=plan_id),
        )
        for year, plan_id, each, name in rows
    ]


def claims(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Claims of ideas, which lapse without a report."""
    rows = db.session.execute(
        select(
            IdeaClaim.protected_until,
            Idea.title,
            Idea.public_id,
            Organization.id,
            Organization.name,
        )
        .join(Idea, Idea.id == IdeaClaim.idea_id)
        .join(Organization, Organization.id == IdeaClaim.organization_id)
        .where(
            IdeaClaim.protected_until >= begin,
            IdeaClaim.protected_until < end,
            IdeaClaim.state == ClaimState.ACTIVE,
        )
        .order_by(IdeaClaim.protected_until, IdeaClaim.id)
        .limit(most)
    )
    return [
        Expiring(
            "claim", f"{name}: {title}", at, each, page_of("ideas_staff.idea", idea_id=idea_id)
        )
        for at, title, idea_id, each, name in rows
    ]


def campaigns(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Campaigns, on their last day."""
    rows = with_organization(
        Campaign.ends_on,
        Campaign.title,
        model=Campaign,
        begin=begin.date(),
        end=end.date(),
        most=most,
        where=[Campaign.state == CampaignState.APPROVED],
    )
    href = page_of("campaigns_staff.index")
    return [
        Expiring("campaign", f"{name}: {title}", end_of(day), each, href)
        for day, title, each, name, _slug in rows
    ]


def vouchers(begin: datetime, end: datetime, most: int | None = None) -> Sequence[Expiring]:
    """Vouchers that nobody has entered."""
    rows = db.session.execute(
        select(Voucher.expires_at, Voucher.ending, Voucher.note)
        .where(
            Voucher.expires_at >= begin,
            Voucher.expires_at < end,
            Voucher.redeemed_at.is_(None),
            Voucher.revoked_at.is_(None),
        )
        .order_by(Voucher.expires_at, Voucher.id)
        .limit(most)
    )
    href = page_of("vouchers_staff.index")
    return [
        Expiring("voucher", f"Voucher …{ending}" + (f": {note}" if note else ""), at, None, href)
        for at, ending, note in rows
    ]
