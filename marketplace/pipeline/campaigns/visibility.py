"""Who sees what of a campaign's leads, and whether it runs: pure rules."""

from datetime import date

from marketplace.pipeline.campaigns.models import Campaign, CampaignLead, CampaignState, Side


def sees(side: Side, lead: CampaignLead) -> bool:
    """Whether a side sees a lead's details: its own ones, and those who agreed to be shared."""
    return lead.shares or lead.held_by is side


def phase(campaign: Campaign, today: date) -> str:
    """The state in one word for people: an approved campaign is upcoming, running or over."""
    if campaign.state is not CampaignState.APPROVED:
        return campaign.state.value
    if today < campaign.starts_on:
        return "upcoming"
    return "running" if today <= campaign.ends_on else "over"


def takes_leads(campaign: Campaign, today: date) -> bool:
    """Whether its page is open to visitors."""
    return phase(campaign, today) == "running"


def takes_expenses(campaign: Campaign) -> bool:
    """Whether either side may write down what it spent: from the approval until it is closed."""
    return campaign.state is CampaignState.APPROVED


def share_of(campaign: Campaign, side: Side) -> int:
    """What a side promised, in minor units."""
    return campaign.partner_share if side is Side.PARTNER else campaign.platform_share
