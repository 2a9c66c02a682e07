"""What people are told by mail."""

from flask import current_app

from marketplace.core.mail import send_mail
from marketplace.pipeline.campaigns.models import Campaign, CampaignLead, CampaignState
from marketplace.pipeline.campaigns.tokens import OPEN_FOR, token_of
from marketplace.pipeline.leads.mails import people_of


def tell_decided(campaign: Campaign) -> None:
    """Tell the partner's people what became of their request."""
    said = "is approved" if campaign.state is CampaignState.APPROVED else "was declined"
    _tell(campaign, f"Your campaign {said}: {campaign.title}", campaign.answer)


def tell_closed(campaign: Campaign) -> None:
    """Tell the partner's people that the books of a campaign are closed."""
    _tell(campaign, f"Your campaign is closed: {campaign.title}", "Its results stay on its page.")


def ask_to_agree(lead: CampaignLead) -> None:
    """Ask whoever answered again, now agreeing to be shared, whether it was them."""
    campaign = lead.campaign
    partner = campaign.organization.name
    send_mail(
        lead.email,
        f"May {partner} see your answer?",
        f"Hello {lead.name},\n\nyou answered “{campaign.headline}” before, for us alone. What you "
        f"wrote then is kept. If {partner} may see it, too, say so here within "
        f"{OPEN_FOR.days} days:\n\n"
        f"{current_app.config['PUBLIC_URL']}/campaigns/consent/{token_of(lead)}\n\n"
        "If it was not you, do nothing.\n",
    )


def _tell(campaign: Campaign, subject: str, words: str) -> None:
    base = current_app.config["PUBLIC_URL"]
    address = f"{base}/partner/campaigns/{campaign.public_id}"
    for person in people_of(campaign.organization_id):
        if person.email:
            parts = [f"Hello {person.name},", words, address]
            send_mail(person.email, subject, "\n\n".join(part for part in parts if part))
