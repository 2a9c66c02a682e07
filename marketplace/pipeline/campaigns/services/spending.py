"""What a campaign costs: never more of a side than it promised."""

from datetime import date, timedelta

from sqlalchemy import func, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.identity.own_partner import refuse_members
from marketplace.pipeline.campaigns.models import Campaign, CampaignExpense, Side
from marketplace.pipeline.campaigns.visibility import share_of, takes_expenses

# Material may be bought long before.
PREPARED_WITHIN = timedelta(days=366)


def spend(
    campaign: Campaign,
    side: Side,
    *,
    amount: int | None,
    what: str,
    spent_on: date | None,
    form_id: str,
    actor: Actor,
) -> bool:
    """Write down an expense of a side, in minor units; a negative one corrects what it wrote.

    False when this very form was written already. Raises InvalidError when it is more than is left
    of the side's share (or takes back more than was spent), ConflictError before the approval and
    after the close, ForbiddenError when a member of the partner writes down the platform's.
    """
    if side is Side.PLATFORM:
        refuse_members(actor.user_id, campaign.organization_id)
    locked = lock_row(Campaign, Campaign.id == campaign.id)
    if locked is None:
        raise NotFoundError
    if not takes_expenses(locked):
        raise ConflictError("Expenses are written down from the approval until the close.")
    spent = int(
        db.session.scalar(
            select(func.coalesce(func.sum(CampaignExpense.amount), 0)).where(
                CampaignExpense.campaign_id == locked.id, CampaignExpense.side == side
            )
        )
        or 0
    )
    known = db.session.scalar(
        select(CampaignExpense.id).where(
            CampaignExpense.campaign_id == locked.id, CampaignExpense.form_id == form_id
        )
    )
    if known is not None:
        return False
    errors = {}
    left = share_of(locked, side) - spent
    if not amount:
        errors["amount"] = "Type an amount."
    elif amount > left:
        errors["amount"] = "More than is left of your share."
    elif spent + amount < 0:
        errors["amount"] = "This takes back more than was spent."
    if not what.strip():
        errors["what"] = "Say what it was for."
    elif len(what.strip()) > 160:
        errors["what"] = "Use at most 160 characters."
    if spent_on is None:
        errors["spent_on"] = "Choose a day."
    elif spent_on > clock.today_in(actor.timezone):
        errors["spent_on"] = "Not in the future."
    elif spent_on < locked.starts_on - PREPARED_WITHIN:
        errors["spent_on"] = "At most a year before the campaign begins."
    if errors or spent_on is None or amount is None:
        raise InvalidError(errors)
    expense_id = insert_if_new(
        CampaignExpense,
        campaign_id=locked.id,
        side=side,
        amount=amount,
        spent_on=spent_on,
        what=what.strip(),
        form_id=form_id[:40],
        by_user_id=actor.user_id,
        created_at=clock.now(),
    )
    if expense_id is None:
        return False
    record_fact(
        "campaign.spent",
        subject=("campaign_expense", expense_id),
        actor_user_id=actor.user_id,
        organization_id=locked.organization_id,
        data={"side": side.value, "amount": amount, "currency": locked.currency},
    )
    return True
