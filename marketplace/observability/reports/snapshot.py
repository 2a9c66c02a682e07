"""What a report says: the figures of a month, frozen as JSON."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.observability.analytics.queries import Scope, funnel_of
from marketplace.observability.analytics.texts import PLACEMENTS
from marketplace.observability.dashboard.tiles import TILES, Figure, figure_text, figures
from marketplace.observability.periods import Period, month_of
from marketplace.program.goals import goal_progress
from marketplace.program.policy.live import live_policy
from marketplace.program.standing.models import Standing
from marketplace.program.standing.reading import IN_FORCE, has_module, takes_part

FORMAT = "portico.activity-report/1"
TOP = 10


def month_period(month: str) -> Period:
    """A month like `2026-10` in UTC. Raises ValueError for no month."""
    times = month_of(month)
    if times is None:
        raise ValueError(f"{month} is no month")
    begin, end = times
    return Period(begin.date(), end.date() - timedelta(days=1), ZoneInfo("UTC"))


def partner_snapshot(organization: Organization, month: str) -> dict[str, Any]:
    """A partner's month: its figures, its listings and where it stands now."""
    period = month_period(month)
    live = live_policy()
    tiles = [
        tile
        for tile in TILES
        if tile.module is None or has_module(organization.partner_type, tile.module, live)
    ]
    # Who has lapsed or left stands nowhere, whatever its last tier was.
    standing = db.session.scalar(
        select(Standing).where(
            Standing.organization_id == organization.id, Standing.state.in_(IN_FORCE)
        )
    )
    tier = live.policy.tier(standing.tier) if live and standing else None
    return {
        **_frame(month, organization.name),
        "tier": tier.name if tier else (standing.tier if standing else ""),
        "points": standing.points if standing else 0,
        "figures": [_figure(each) for each in figures(tiles, organization.id, period)],
        **_exposure(Scope(organization.id), period),
    }


def program_snapshot(month: str, name: str) -> dict[str, Any]:
    """The whole program's month: everybody's figures, goals, and partners by tier."""
    period = month_period(month)
    live = live_policy()
    rows = db.session.execute(
        select(Standing.tier, func.count())
        .join(Organization, Organization.id == Standing.organization_id)
        .where(takes_part())
        .group_by(Standing.tier)
    )
    by_tier = {tier: int(count) for tier, count in rows}
    known = [(tier.key, tier.name) for tier in live.policy.tiers] if live else []
    return {
        **_frame(month, name),
        "tiers": [
            *([label, by_tier.get(key, 0)] for key, label in known),
            *([key, by_tier[key]] for key in sorted(by_tier.keys() - {k for k, _name in known})),
        ],
        "goals": [
            {
                "name": each.goal.name,
                "value": each.value,
                "target": each.goal.target,
                "currency": each.currency,
            }
            for each in goal_progress(period.end - timedelta(microseconds=1))
        ],
        "figures": [_figure(each) for each in figures(TILES, None, period)],
        **_exposure(Scope(None), period),
    }


def digest_of(data: Mapping[str, Any]) -> str:
    """The SHA-256 hex digest of a report's canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _frame(month: str, name: str) -> dict[str, Any]:
    return {"format": FORMAT, "month": month, "of": name, "zone": "UTC"}


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "key": figure.tile.key,
        "label": figure.tile.label,
        "hint": figure.tile.hint,
        "currency": figure.currency,
        "value": figure.value,
        "before": figure.before,
        "text": figure.text,
        "text_before": figure_text(figure.tile, figure.before, figure.currency),
        "by_day": figure.by_day,
    }


def _exposure(scope: Scope, period: Period) -> dict[str, Any]:
    """Views by placement, and the listings with the most of them."""
    funnel = funnel_of(scope, period)
    top = list(funnel.by_listing.items())[:TOP]
    return {
        "placements": [
            [PLACEMENTS[placement], counts.impressions, counts.views]
            for placement, counts in funnel.by_placement.items()
        ],
        "listings": [
            [
                funnel.listings.get(listing_id, (f"Listing {listing_id}", ""))[0],
                counts.views,
                counts.installs,
                counts.paid,
                counts.churned,
            ]
            for listing_id, counts in top
        ],
    }
