"""A policy in force and partners with a standing, for tests. All of it is flushed."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import LivePolicy, forget_current_policy, live_policy
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.standing.models import Standing, StandingState


def policy_document(**changes: Any) -> dict[str, Any]:
    """A small policy: three tiers by points, three types. `changes` replace its parts."""
    return {
        "name": "Harbor partners",
        "summary": "Build, sell and grow with us.",
        "currency": "EUR",
        "rates": {"USD": 900_000},
        "grace_days": 30,
        "types": [
            {
                "key": "technology",
                "name": "Technology partner",
                "entry": "application",
                "form": [{"key": "why", "label": "Why do you apply?", "kind": "long_text"}],
                "stages": [{"key": "review", "name": "Review", "reviewers": 1}],
                "playbook": [{"key": "kick_off", "title": "Kick-off call", "due_days": 7}],
                "getting_started": [
                    {"key": "listing", "title": "Publish a listing", "done_by": "listing.published"}
                ],
            },
            {"key": "developer", "name": "Developer", "entry": "email"},
            {"key": "reseller", "name": "Reseller", "entry": "application"},
            {
                "key": "affiliate",
                "name": "Affiliate",
                "entry": "instant",
                "modules": ["affiliate_links", "leads"],
            },
        ],
        "tiers": [
            {"key": "registered", "name": "Registered"},
            {"key": "silver", "name": "Silver", "points": 100,
             "entitlements": {"api_preview": True}},
            {"key": "gold", "name": "Gold", "points": 250, "entitlements": {"seats": 10}},
        ],
        "metrics": [
            {"key": "revenue", "name": "Net revenue", "measure": "net_revenue", "unit": "money",
             "points": 1, "per": 100_000, "cap": 150},
            {"key": "certified", "name": "Certified people", "measure": "certified_people",
             "how": "level", "window_days": None, "points": 20, "cap": 100},
            {"key": "deals", "name": "Deals won", "measure": "deals_won", "points": 10, "cap": 100},
        ],
        "entitlements": [
            {"key": "api_preview", "name": "Preview API"},
            {"key": "seats", "name": "Test seats", "kind": "limit"},
        ],
        **changes,
    }  # fmt: skip


def make_policy(
    document: dict[str, Any] | None = None, *, effective_at: datetime | None = None, **changes: Any
) -> LivePolicy:
    """Publish a policy: `document`, or the small one with `changes`. In force since a year ago
    unless told otherwise."""
    policy = Policy.model_validate(document or policy_document(**changes))
    at = effective_at or clock.now() - timedelta(days=365)
    number = (db.session.scalar(select(func.max(PolicyVersion.number))) or 0) + 1
    db.session.add(
        PolicyVersion(
            public_id=new_public_id("pol"),
            number=number,
            state=PolicyState.PUBLISHED,
            name=f"Version {number}",
            document=policy.as_data(),
            digest=policy.digest(),
            effective_at=at,
            published_at=at,
        )
    )
    db.session.flush()
    forget_current_policy()
    found = live_policy(max(at, clock.now()))
    assert found is not None
    return found


def make_standing(organization: Organization, tier: str = "registered", **fields: Any) -> Standing:
    """A partner of the program at a tier."""
    values: dict[str, Any] = {"state": StandingState.ACTIVE, "joined_at": clock.now(), "points": 0}
    standing = Standing(organization_id=organization.id, tier=tier, **{**values, **fields})
    db.session.add(standing)
    db.session.flush()
    return standing
