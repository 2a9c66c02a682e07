"""People who answer a campaign."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.identity.profiles import clean_email
from marketplace.pipeline.campaigns import mails
from marketplace.pipeline.campaigns.models import Campaign, CampaignLead, CampaignState, Side
from marketplace.pipeline.campaigns.visibility import takes_leads

# The data of people is removed this long after they answered.
KEEP_FOR = timedelta(days=730)


def consent_text(campaign: Campaign, site_name: str) -> str:
    """The words that a person agrees to."""
    return (
        f"{campaign.organization.name} and {site_name} may both see what I wrote here and get in "
        "touch with me about it."
    )


def answer(
    campaign: Campaign,
    *,
    held_by: Side,
    name: str,
    email: str,
    company: str = "",
    message: str = "",
    shares: bool,
    words: str,
    actor: Actor | None = None,
) -> bool:
    """Take in a person who answered, once for each address and side; False for a second time.

    Without `shares` only the side that holds the details ever sees them. `words` are what was
    agreed to. What came first stays; who agrees only the second time is mailed a link, because
    anybody could have typed the address. Raises InvalidError, and ConflictError when the campaign
    does not run.
    """
    if actor is None and not takes_leads(campaign, clock.now().date()):
        raise ConflictError("This campaign does not run.")
    if actor is not None and campaign.state not in (CampaignState.APPROVED, CampaignState.CLOSED):
        raise ConflictError("This campaign was not approved.")
    address = clean_email(email)
    errors = {}
    if not name.strip():
        errors["name"] = "Enter a name."
    if address is None:
        errors["email"] = "Enter an e-mail address like ada@company.example."
    for field, value, most in (
        ("name", name, 120),
        ("company", company, 120),
        ("message", message, 2_000),
    ):
        if len(value.strip()) > most:
            errors[field] = f"Use at most {most:,} characters."
    if errors or address is None:
        raise InvalidError(errors)
    lead_id = insert_if_new(
        CampaignLead,
        campaign_id=campaign.id,
        held_by=held_by,
        name=name.strip(),
        email=address,
        company=company.strip(),
        message=message.strip(),
        shares=shares,
        consent_text=words if shares else "",
        created_at=clock.now(),
    )
    if lead_id is None:
        if actor is None and shares:
            _ask_to_agree(campaign, held_by, address)
        return False
    record_fact(
        "campaign.answered",
        subject=("campaign_lead", lead_id),
        actor_user_id=actor.user_id if actor else None,
        organization_id=campaign.organization_id,
        data={"held_by": held_by.value, "shares": shares},
    )
    return True


def agree(lead: CampaignLead, *, words: str) -> None:
    """Let the partner see an answer, too. Whoever calls this has proven the address."""
    if lead.shares:
        return
    lead.shares, lead.consent_text = True, words
    db.session.flush()
    record_fact(
        "campaign.agreed",
        subject=("campaign_lead", lead.id),
        organization_id=lead.campaign.organization_id,
    )


def erase_person(email: str, *, actor: Actor) -> int:
    """Forget a person on request, in all campaigns and whoever holds the details; how many answers
    it were. Raises InvalidError."""
    address = clean_email(email)
    if address is None:
        raise InvalidError({"email": "Enter an e-mail address like ada@company.example."})
    leads = db.session.scalars(select(CampaignLead).where(CampaignLead.email == address)).all()
    for lead in leads:
        erase(lead, actor=actor)
    return len(leads)


def erase_old(limit: int = 500) -> int:
    """Forget people who answered more than `KEEP_FOR` ago; how many."""
    leads = db.session.scalars(
        select(CampaignLead)
        .where(CampaignLead.erased_at.is_(None), CampaignLead.created_at < clock.now() - KEEP_FOR)
        .order_by(CampaignLead.id)
        .limit(limit)
    ).all()
    for lead in leads:
        erase(lead, actor=None)
    return len(leads)


def erase(lead: CampaignLead, *, actor: Actor | None) -> None:
    """Forget a person; that somebody answered still counts."""
    if lead.erased_at is not None:
        return
    lead.name, lead.company, lead.message = "Erased", "", ""
    lead.email = f"erased-{lead.id}@erased.invalid"
    lead.erased_at = clock.now()
    db.session.flush()
    record_fact(
        "campaign.lead_erased",
        subject=("campaign_lead", lead.id),
        actor_user_id=actor.user_id if actor else None,
    )


def _ask_to_agree(campaign: Campaign, held_by: Side, address: str) -> None:
    lead = db.session.scalar(
        select(CampaignLead).where(
            CampaignLead.campaign_id == campaign.id,
            CampaignLead.held_by == held_by,
            CampaignLead.email == address,
        )
    )
    if lead is not None and not lead.shares:
        mails.ask_to_agree(lead)
