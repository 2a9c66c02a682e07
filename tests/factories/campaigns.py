"""Campaigns for tests. All of it is flushed."""

from datetime import timedelta
from typing import Any

from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Organization
from marketplace.pipeline.campaigns.models import Campaign, CampaignState


def make_campaign(partner: Organization, **fields: Any) -> Campaign:
    """A running campaign with 1,000.00 of each side."""
    today = clock.now().date()
    values: dict[str, Any] = {
        "public_id": new_public_id("camp"),
        "organization_id": partner.id,
        "state": CampaignState.APPROVED,
        "title": "Spring tides",
        "goal": "Fifty harbour masters",
        "headline": "Know the tide before it knows you",
        "pitch": "A month of tables, free.",
        "starts_on": today - timedelta(days=1),
        "ends_on": today + timedelta(days=30),
        "currency": "EUR",
        "partner_share": 100_000,
        "asked_share": 100_000,
        "platform_share": 100_000,
    }
    campaign = Campaign(**{**values, **fields})
    db.session.add(campaign)
    db.session.flush()
    return campaign
