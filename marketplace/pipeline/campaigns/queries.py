"""Reading campaigns."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from marketplace.catalogue.models import Listing
from marketplace.core.database import db
from marketplace.pipeline.campaigns.models import (
    Campaign,
    CampaignExpense,
    CampaignLead,
    CampaignState,
    Side,
)


def find(campaign_id: str) -> Campaign | None:
    """The campaign of that public id."""
    return db.session.scalar(
        select(Campaign)
        .where(Campaign.public_id == campaign_id)
        .options(joinedload(Campaign.organization))
    )


def campaigns_of(organization_id: int) -> Select[Campaign]:
    """A partner's campaigns, newest first."""
    return (
        select(Campaign)
        .where(Campaign.organization_id == organization_id)
        .order_by(Campaign.id.desc())
    )


def all_campaigns(state: CampaignState | None, text: str) -> Select[Campaign]:
    """Everybody's, those that wait for an answer first."""
    query = (
        select(Campaign)
        .options(joinedload(Campaign.organization))
        .order_by((Campaign.state == CampaignState.REQUESTED).desc(), Campaign.id.desc())
    )
    if state is not None:
        query = query.where(Campaign.state == state)
    if text:
        query = query.where(Campaign.title.icontains(text, autoescape=True))
    return query


def spent(campaign_ids: Iterable[int]) -> dict[tuple[int, Side], int]:
    """What each side spent, by campaign and side, in minor units."""
    rows = db.session.execute(
        select(CampaignExpense.campaign_id, CampaignExpense.side, func.sum(CampaignExpense.amount))
        .where(CampaignExpense.campaign_id.in_(list(campaign_ids)))
        .group_by(CampaignExpense.campaign_id, CampaignExpense.side)
    )
    return {(campaign_id, side): int(amount) for campaign_id, side, amount in rows}


def expenses(campaign_id: int) -> list[CampaignExpense]:
    """What was written down last, oldest first; at most 200."""
    rows = db.session.scalars(
        select(CampaignExpense)
        .where(CampaignExpense.campaign_id == campaign_id)
        .order_by(CampaignExpense.id.desc())
        .limit(200)
    )
    return list(reversed(rows.all()))


def lead_counts(campaign_ids: Iterable[int]) -> dict[int, int]:
    """How many people answered, whoever holds their details."""
    rows = db.session.execute(
        select(CampaignLead.campaign_id, func.count())
        .where(CampaignLead.campaign_id.in_(list(campaign_ids)))
        .group_by(CampaignLead.campaign_id)
    )
    return {campaign_id: int(count) for campaign_id, count in rows}


def leads_seen_by(campaign_id: int, side: Side) -> Select[CampaignLead]:
    """The leads whose details a side may see, newest first: the same rule as `sees`."""
    return (
        select(CampaignLead)
        .where(
            CampaignLead.campaign_id == campaign_id,
            or_(CampaignLead.shares, CampaignLead.held_by == side),
        )
        .order_by(CampaignLead.id.desc())
    )


def every_lead_seen_by(campaign_id: int, side: Side) -> Iterator[CampaignLead]:
    """All of them, for a file; at most 10,000."""
    query = leads_seen_by(campaign_id, side).limit(10_000)
    return iter(db.session.scalars(query.execution_options(yield_per=500)))


def own_listings(organization_id: int) -> list[tuple[str, str]]:
    """The partner's listings, as pairs of a slug and a name."""
    rows = db.session.execute(
        select(Listing.slug, Listing.name)
        .where(Listing.publisher_id == organization_id)
        .order_by(Listing.name)
        .limit(500)
    )
    return [(slug, name) for slug, name in rows]


def listing_of(campaign: Campaign) -> Listing | None:
    """The listing that the campaign is about."""
    return db.session.get(Listing, campaign.listing_id) if campaign.listing_id else None


def listing_by_slug(slug: str, organization_id: int) -> Listing | None:
    """A partner's own listing."""
    return db.session.scalar(
        select(Listing).where(Listing.slug == slug, Listing.publisher_id == organization_id)
    )
