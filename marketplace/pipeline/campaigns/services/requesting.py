"""Asking for a campaign, and answering."""

from dataclasses import dataclass
from datetime import date, timedelta

from billing.money import CURRENCIES
from marketplace.catalogue.models import Listing
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.identity.own_partner import refuse_members
from marketplace.identity.sent_forms import sent_before
from marketplace.pipeline.campaigns import mails
from marketplace.pipeline.campaigns.budget import budget_of, problem_of
from marketplace.pipeline.campaigns.models import Campaign, CampaignState
from marketplace.program.standing.taking_part import refuse_outsiders

MOST = 1_000_000_000
LONGEST = timedelta(days=366)
FARTHEST = timedelta(days=2 * 366)


@dataclass(frozen=True)
class Terms:
    """What a partner asks for. Shares in minor units of `currency`."""

    title: str
    goal: str
    headline: str
    pitch: str
    starts_on: date | None
    ends_on: date | None
    currency: str
    partner_share: int | None
    asked_share: int | None
    listing: Listing | None = None


def request_campaign(terms: Terms, *, actor: Actor, form_key: str = "") -> Campaign:
    """Ask the platform for a campaign: of a form, one. Flushes. Raises InvalidError;
    NotTakingPartError for who is not in the program or suspended."""
    refuse_outsiders(actor.organization_id or 0)
    errors = _errors(terms)
    if errors or terms.starts_on is None or terms.ends_on is None:
        raise InvalidError(errors)
    public_id = id_of_form("camp", form_key, actor.user_id, actor.organization_id, terms)
    if known := sent_before(Campaign, public_id, by_user_id=actor.user_id):
        return known
    campaign = Campaign(
        public_id=public_id,
        organization_id=actor.organization_id or 0,
        listing_id=terms.listing.id if terms.listing else None,
        state=CampaignState.REQUESTED,
        title=terms.title.strip(),
        goal=terms.goal.strip(),
        headline=terms.headline.strip(),
        pitch=terms.pitch.strip(),
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        currency=terms.currency,
        partner_share=terms.partner_share or 0,
        asked_share=terms.asked_share or 0,
        requested_by_id=actor.user_id,
    )
    db.session.add(campaign)
    db.session.flush()
    _record("requested", campaign, actor)
    return campaign


def approve(
    campaign: Campaign,
    platform_share: int | None,
    answer: str,
    *,
    actor: Actor,
    beyond_budget: bool = False,
) -> None:
    """Agree, with what the platform gives: at most what was asked, and what is left of the
    partner's budget of the year unless `beyond_budget`. Raises ForbiddenError for a member of the
    partner, InvalidError, and ConflictError when it was answered or withdrawn meanwhile."""
    refuse_members(actor.user_id, campaign.organization_id)
    locked = _waiting(campaign)
    if platform_share is None:
        raise InvalidError({"platform_share": "Type an amount, 0 for none."})
    if platform_share > locked.asked_share:
        raise InvalidError({"platform_share": "Not more than what was asked for."})
    if locked.ends_on < clock.now().date():
        raise InvalidError({"platform_share": "Its last day has passed. Decline it."})
    # One approval of a partner at a time: two give no more than is left together.
    lock_row(Organization, Organization.id == locked.organization_id)
    budget = budget_of(locked.organization_id, locked.starts_on.year)
    problem = problem_of(budget, platform_share, locked.currency)
    if problem and not beyond_budget:
        raise InvalidError({"platform_share": problem})
    locked.platform_share = platform_share
    _answer(locked, CampaignState.APPROVED, answer, actor, is_beyond_budget=bool(problem))


def decline(campaign: Campaign, answer: str, *, actor: Actor) -> None:
    """Say no, and why. Raises ForbiddenError for a member of the partner, InvalidError,
    ConflictError."""
    refuse_members(actor.user_id, campaign.organization_id)
    if not answer.strip():
        raise InvalidError({"answer": "Say why; the partner reads it."})
    _answer(_waiting(campaign), CampaignState.DECLINED, answer, actor)


def withdraw(campaign: Campaign, *, actor: Actor) -> None:
    """Take a request back. Raises ConflictError once it was answered."""
    locked = _waiting(campaign)
    locked.state = CampaignState.WITHDRAWN
    _record("withdrawn", locked, actor)


def close(campaign: Campaign, *, actor: Actor) -> None:
    """Close the books: nothing more is spent. Raises ForbiddenError for a member of the partner,
    ConflictError before it was approved."""
    refuse_members(actor.user_id, campaign.organization_id)
    locked = lock_row(Campaign, Campaign.id == campaign.id)
    if locked is None or locked.state is not CampaignState.APPROVED:
        raise ConflictError("Only an approved campaign can be closed, and only once.")
    locked.state, locked.closed_at = CampaignState.CLOSED, clock.now()
    _record("closed", locked, actor)
    mails.tell_closed(locked)


def _waiting(campaign: Campaign) -> Campaign:
    locked = lock_row(Campaign, Campaign.id == campaign.id)
    if locked is None or locked.state is not CampaignState.REQUESTED:
        raise ConflictError("This request was answered or withdrawn already.")
    return locked


def _answer(
    campaign: Campaign,
    state: CampaignState,
    answer: str,
    actor: Actor,
    *,
    is_beyond_budget: bool = False,
) -> None:
    campaign.state, campaign.answer = state, answer.strip()[:2_000]
    campaign.decided_at, campaign.decided_by_id = clock.now(), actor.user_id
    _record(state.value, campaign, actor, is_beyond_budget=is_beyond_budget)
    mails.tell_decided(campaign)


def _record(what: str, campaign: Campaign, actor: Actor, *, is_beyond_budget: bool = False) -> None:
    record_fact(
        f"campaign.{what}",
        subject=("campaign", campaign.id),
        actor_user_id=actor.user_id,
        organization_id=campaign.organization_id,
        data={"beyond_budget": True} if is_beyond_budget else None,
    )


def _errors(terms: Terms) -> dict[str, str]:
    errors: dict[str, str] = {}
    for name, most in (("title", 80), ("goal", 2_000), ("headline", 120), ("pitch", 2_000)):
        text = getattr(terms, name).strip()
        if not text:
            errors[name] = "Fill this in."
        elif len(text) > most:
            errors[name] = f"Use at most {most:,} characters."
    today = clock.now().date()
    if terms.starts_on is None:
        errors["starts_on"] = "Choose a day."
    elif terms.starts_on < today:
        errors["starts_on"] = "Today or later."
    elif terms.starts_on > today + FARTHEST:
        errors["starts_on"] = "At most two years ahead."
    if terms.ends_on is None:
        errors["ends_on"] = "Choose a day."
    elif terms.starts_on is not None and terms.ends_on < terms.starts_on:
        errors["ends_on"] = "Not before it starts."
    elif terms.starts_on is not None and terms.ends_on - terms.starts_on > LONGEST:
        errors["ends_on"] = "A campaign takes a year at most."
    if terms.currency not in CURRENCIES:
        errors["currency"] = "Choose a currency."
    for name in ("partner_share", "asked_share"):
        amount = getattr(terms, name)
        if amount is None:
            errors[name] = "Type an amount, 0 for none."
        elif amount > MOST:
            errors[name] = "This is more than a campaign can have."
    return errors
