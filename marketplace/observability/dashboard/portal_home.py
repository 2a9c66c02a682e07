"""What the portal's start says about the program: the tier, what to do next, what waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, url_for
from sqlalchemy import func, select

from billing.formatting import format_money
from billing.statements import balances_by_currency
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.observability.access import sees_money
from marketplace.observability.dashboard.suggestions import Suggestion, unused_benefits
from marketplace.pipeline.leads.models import LeadOffer, OfferState
from marketplace.program.module_gate import may_use_module
from marketplace.program.onboarding.models import PartnerTask, TaskSide
from marketplace.program.onboarding.reading import progress_of
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import current_policy
from marketplace.program.scorecards.evaluating import values_of
from marketplace.program.scorecards.obligations import warnings_of
from marketplace.program.scorecards.rules import gaps, next_tier, points_of
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE, Place


@dataclass(frozen=True)
class TierCard:
    """Where a partner stands, and how far the next tier is. `met` of `asked` things are done."""

    type_name: str
    tier_name: str
    points: int
    next_name: str = ""
    next_points: int = 0
    met: int = 0
    asked: int = 0
    grace_until: datetime | None = None
    grace_name: str = ""
    provisional_until: datetime | None = None


@dataclass(frozen=True)
class Waiting:
    """Something that waits for the partner: how many, and where."""

    label: str
    text: str
    href: str
    icon: str
    is_late: bool = False
    is_amber: bool = False


def program_part(actor: Actor) -> Mapping[str, Any]:
    """The program's part of the start of the partner that the person acts for."""
    active = actor.organization
    if active is None:
        return {}
    live = current_policy()
    standing = db.session.scalar(
        select(Standing).where(Standing.organization_id == active.organization_id)
    )
    tier = standing.tier if standing is not None and standing.state in IN_FORCE else ""
    place = Place(active.organization_id, active.partner_type or "", tier)
    suggestions: list[Suggestion] = []
    card = None
    if live is not None:
        suggestions = unused_benefits(live.policy, place) if tier else []
        card = _tier_card(live.policy, place, standing) if standing is not None and tier else None
    return {
        "tier_card": card,
        "suggestions": suggestions,
        "program_waiting": [
            *_late_tasks(active.organization_id),
            *_due_now(active.organization_id),
            *_leads(actor, active.organization_id),
            *_earnings(actor),
        ],
        **_start(active.organization_id),
        "has_catalogue": may_use_module(actor, "catalogue"),
    }


def _tier_card(policy: Policy, place: Place, standing: Standing) -> TierCard:
    """One query: the measurements."""
    kind, tier = policy.type(place.partner_type), policy.tier(place.tier)
    values = values_of([place.organization_id], policy, clock.now())[place.organization_id]
    above = next_tier(policy, place.partner_type, place.tier) if kind else None
    asked = gaps(policy, place.partner_type, above, values) if above else []
    grace = policy.tier(standing.grace_tier)
    return TierCard(
        type_name=kind.name if kind else "Partner",
        tier_name=tier.name if tier else place.tier,
        points=points_of(policy, values),
        next_name=above.name if above else "",
        next_points=above.points if above else 0,
        met=sum(each.met for each in asked),
        asked=len(asked),
        grace_until=standing.grace_until,
        grace_name=grace.name if grace else "",
        provisional_until=standing.provisional_until,
    )


def _start(organization_id: int) -> dict[str, Any]:
    """The next step of getting started; nothing once all are done or put away."""
    progress = progress_of(organization_id)
    return {
        "next_step": None if progress.is_dismissed else progress.next_step,
        "steps_done": progress.done,
        "steps_total": progress.total,
    }


def _late_tasks(organization_id: int) -> list[Waiting]:
    count, oldest = db.session.execute(
        select(func.count(), func.min(PartnerTask.due_at)).where(
            PartnerTask.organization_id == organization_id,
            PartnerTask.side == TaskSide.PARTNER,
            PartnerTask.done_at.is_(None),
            PartnerTask.due_at < clock.now(),
        )
    ).one()
    if not count or oldest is None:
        return []
    days = (clock.now() - oldest).days
    text = f"The oldest is {days} days late." if days > 1 else "The oldest was due a day ago."
    label = "1 task is late" if count == 1 else f"{count} tasks are late"
    return [Waiting(label, text, _href("onboarding.tasks"), "list-checks", is_late=True)]


def _due_now(organization_id: int) -> list[Waiting]:
    """What must be done now to go on counting."""
    return [
        Waiting(
            each.title,
            "It goes on counting only if this is done"
            + (f" by {each.due_at:%d %b %Y}." if each.due_at else " now."),
            each.href,
            "clock",
            is_amber=True,
        )
        for each in warnings_of(organization_id)
    ]


def _leads(actor: Actor, organization_id: int) -> list[Waiting]:
    if not may_use_module(actor, "leads"):
        return []
    count, soonest = db.session.execute(
        select(func.count(), func.min(LeadOffer.deadline)).where(
            LeadOffer.organization_id == organization_id,
            LeadOffer.state == OfferState.OPEN,
            LeadOffer.deadline > clock.now(),
        )
    ).one()
    if not count or soonest is None:
        return []
    name = "lead waits" if count == 1 else "leads wait"
    hours = max(1, int((soonest - clock.now()).total_seconds() // 3600))
    text = f"The first answer is due in {hours} {'hour' if hours == 1 else 'hours'}."
    return [Waiting(f"{count} {name} for your answer", text, _href("leads.index"), "inbox")]


def _earnings(actor: Actor) -> list[Waiting]:
    if not sees_money(actor) or actor.organization_id is None:
        return []
    return [
        Waiting(
            f"{format_money(balances.payable, currency)} payable",
            f"{format_money(balances.held, currency)} more is held until its time is over.",
            _href("earnings.home"),
            "wallet",
        )
        for currency, balances in balances_by_currency(actor.organization_id).items()
        if balances.payable or balances.held
    ]


def _href(endpoint: str) -> str:
    return url_for(endpoint) if endpoint in current_app.view_functions else ""
