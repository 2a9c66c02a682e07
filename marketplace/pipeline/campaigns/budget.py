"""What a partner's tier entitles it to in a calendar year for campaigns, and what is left of it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from billing.formatting import format_money
from marketplace.core.database import db
from marketplace.pipeline.campaigns.models import Campaign, CampaignExpense, CampaignState, Side
from marketplace.program.policy.document import Policy
from marketplace.program.policy.live import current_policy
from marketplace.program.scorecards.rules import converted
from marketplace.program.standing.reading import entitlement

# The entitlement of a policy: an amount in its currency, for a calendar year.
ENTITLEMENT = "co_marketing_budget"


@dataclass(frozen=True)
class Budget:
    """The platform's money for campaigns of a partner that begin in a year, in minor units of the
    policy's currency. `given`: what was agreed to; of closed campaigns, what was spent."""

    year: int
    total: int
    given: int
    policy: Policy

    @property
    def left(self) -> int:
        """What is left; 0 when more was given."""
        return max(0, self.total - self.given)

    def words(self, whose: str) -> str:
        """A sentence for people; `whose` begins it, such as "Your"."""
        total, left = (format_money(each, self.policy.currency) for each in (self.total, self.left))
        return f"{whose} co-marketing budget of {self.year} is {total}, of which {left} is left."


def budget_of(organization_id: int, year: int) -> Budget | None:
    """A partner's budget of a year; None where the policy speaks of none. Two queries beside the
    policy's."""
    live = current_policy()
    if live is None:
        return None
    policy = live.policy
    if policy.is_announced(ENTITLEMENT) or all(
        each.key != ENTITLEMENT for each in policy.entitlements
    ):
        return None
    total = entitlement(organization_id, ENTITLEMENT)
    spent = func.coalesce(func.sum(CampaignExpense.amount), 0)
    rows = db.session.execute(
        select(Campaign.state, Campaign.currency, Campaign.platform_share, spent)
        .outerjoin(
            CampaignExpense,
            (CampaignExpense.campaign_id == Campaign.id) & (CampaignExpense.side == Side.PLATFORM),
        )
        .where(
            Campaign.organization_id == organization_id,
            Campaign.state.in_((CampaignState.APPROVED, CampaignState.CLOSED)),
            Campaign.starts_on.between(date(year, 1, 1), date(year, 12, 31)),
        )
        .group_by(Campaign.id, Campaign.state, Campaign.currency, Campaign.platform_share)
    )
    given = sum(
        converted(share if state is CampaignState.APPROVED else int(paid), currency, policy) or 0
        for state, currency, share, paid in rows
    )
    amount = 0 if isinstance(total, bool | str) else int(total)
    return Budget(year, amount, given, policy)


def problem_of(budget: Budget | None, amount: int, currency: str) -> str:
    """What is wrong with giving that much of a budget, in minor units of `currency`; empty when it
    is within it."""
    if budget is None or not amount:
        return ""
    wanted = converted(amount, currency, budget.policy)
    if wanted is None:
        return f"The policy has no rate for {currency}, so this cannot be counted. Tick below."
    if wanted <= budget.left:
        return ""
    return f"{budget.words('The partner’s')} Give less, or tick below."
