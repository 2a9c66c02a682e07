"""How much demand stands behind ideas: votes, organizations, and what those spend here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import CompoundSelect, func, select, union

from billing.models import Order, OrderState
from billing.money import decimals
from marketplace.catalogue.models import IntegrationRequest, RequestVote
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.identity.models import Membership, Organization, OrganizationKind
from marketplace.pipeline.ideas.models import IdeaRequest, IdeaVote
from marketplace.program.policy.live import current_policy
from marketplace.program.scorecards.rules import converted

LOOK_BACK = timedelta(days=365)
# With fewer, a sum would tell partners what one customer spends.
LEAST_ORGANIZATIONS = 3


@dataclass(frozen=True)
class Demand:
    """What stands behind an idea.

    `voters` are different people: who voted for it or for one of its requests. `revenue`: what
    their organizations paid in the last year without tax, less what went back, in minor units of
    `currency`. `left_out`: currencies without a rate. `told_of`: how many customers that spend here
    the looking partner has nobody in; only their sum is told it, as a range.
    """

    voters: int = 0
    organizations: int = 0
    revenue: int = 0
    currency: str = "EUR"
    left_out: tuple[str, ...] = field(default=())
    told_of: int = 0
    told_revenue: int = 0

    @property
    def may_be_told(self) -> bool:
        """Whether the partner may see about how much it is."""
        return self.told_of >= LEAST_ORGANIZATIONS

    @property
    def told_range(self) -> tuple[int, int]:
        """From and to about how much, in minor units: the exact sum would tell, before and after
        a vote, what one customer spends."""
        return range_of(self.told_revenue, 10 ** decimals(self.currency))


def range_of(amount: int, unit: int) -> tuple[int, int]:
    """The two steps of 1, 2, 5, 10, 20, 50 … thousand units between which an amount lies.

    >>> range_of(2_345_678, 100)
    (2000000, 5000000)
    """
    low, high = 0, 1_000 * unit
    while high <= amount:
        first = int(str(high)[0])
        low, high = high, high * 5 // 2 if first == 2 else high * 2
    return low, high


def demand_of(idea_ids: Iterable[int], *, for_partner: int | None = None) -> dict[int, Demand]:
    """The demand behind each idea, as a partner or (None) the staff sees it. Six queries at most,
    however many ideas."""
    ids = list(idea_ids)
    if not ids:
        return {}
    voters: dict[int, set[int]] = {each: set() for each in ids}
    organizations: dict[int, set[int]] = {each: set() for each in ids}
    # Who voted without acting for an organization: the customer that they work for counts.
    alone: dict[int, set[int]] = {each: set() for each in ids}
    for idea_id, user_id, organization_id in db.session.execute(_votes(ids)):
        if user_id is not None:
            voters[idea_id].add(user_id)
        if organization_id is not None:
            organizations[idea_id].add(organization_id)
        elif user_id is not None:
            alone[idea_id].add(user_id)
    customers = _customers_of({each for found in alone.values() for each in found})
    for idea_id, people in alone.items():
        organizations[idea_id] |= {customers[each] for each in people if each in customers}
    everybody = {each for found in organizations.values() for each in found}
    spent = _spent(everybody)
    foreign = _foreign_customers(everybody, for_partner) if for_partner is not None else set()
    live = current_policy()
    currency = live.policy.currency if live else "EUR"
    result: dict[int, Demand] = {}
    for idea_id in ids:
        revenue, told, payers, left_out = 0, 0, 0, set()
        for organization_id in organizations[idea_id]:
            own = 0
            for code, amount in spent.get(organization_id, {}).items():
                value = (
                    converted(amount, code, live.policy)
                    if live
                    else (amount if code == currency else None)
                )
                if value is None:
                    left_out.add(code)
                else:
                    own += value
            revenue += own
            if own > 0 and organization_id in foreign:
                told, payers = told + own, payers + 1
        result[idea_id] = Demand(
            len(voters[idea_id]),
            len(organizations[idea_id]),
            revenue,
            currency,
            tuple(sorted(left_out)),
            payers,
            told,
        )
    return result


def _votes(ids: list[int]) -> CompoundSelect[Any]:
    own = select(IdeaVote.idea_id, IdeaVote.user_id, IdeaVote.organization_id).where(
        IdeaVote.idea_id.in_(ids)
    )
    asked = (
        select(IdeaRequest.idea_id, RequestVote.user_id, RequestVote.organization_id)
        .join(RequestVote, RequestVote.request_id == IdeaRequest.request_id)
        .where(IdeaRequest.idea_id.in_(ids))
    )
    began = (
        select(IdeaRequest.idea_id, IntegrationRequest.requested_by_id, RequestVote.organization_id)
        .join(IntegrationRequest, IntegrationRequest.id == IdeaRequest.request_id)
        .outerjoin(
            RequestVote,
            (RequestVote.request_id == IntegrationRequest.id)
            & (RequestVote.user_id == IntegrationRequest.requested_by_id),
        )
        .where(IdeaRequest.idea_id.in_(ids))
    )
    return union(own, asked, began)


def _customers_of(user_ids: set[int]) -> dict[int, int]:
    """The customer organization that each person works for; of several, the first."""
    if not user_ids:
        return {}
    rows = db.session.execute(
        select(Membership.user_id, func.min(Membership.organization_id))
        .join(Organization, Organization.id == Membership.organization_id)
        .where(
            Membership.user_id.in_(user_ids),
            Organization.kind == OrganizationKind.CUSTOMER,
            Organization.sandbox_of_id.is_(None),
        )
        .group_by(Membership.user_id)
    )
    return dict(rows.all())


def _foreign_customers(organization_ids: set[int], partner_id: int) -> set[int]:
    """Which of them are customers in which nobody of the partner works: it knows what its own
    people spend, and could vote for them."""
    own = select(Membership.user_id).where(Membership.organization_id == partner_id)
    return set(
        db.session.scalars(
            select(Organization.id).where(
                Organization.id.in_(organization_ids),
                Organization.kind == OrganizationKind.CUSTOMER,
                Organization.id.not_in(
                    select(Membership.organization_id).where(Membership.user_id.in_(own))
                ),
            )
        )
    )


def _spent(organization_ids: set[int]) -> dict[int, dict[str, int]]:
    """What each paid in the last year without tax, by currency, less its part of what went back."""
    if not organization_ids:
        return {}
    found: dict[int, dict[str, int]] = {}
    for organization_id, currency, net, back, total in db.session.execute(
        select(
            Order.organization_id,
            Order.currency,
            func.sum(Order.subtotal - Order.discount_total),
            func.sum(Order.refunded_total),
            func.sum(Order.total),
        )
        .where(
            Order.organization_id.in_(organization_ids),
            Order.state == OrderState.PAID,
            Order.paid_at > clock.now() - LOOK_BACK,
        )
        .group_by(Order.organization_id, Order.currency)
    ):
        # What went back is with tax; its part without tax is in proportion.
        gone = int(net) * int(back) // int(total) if total else 0
        found.setdefault(organization_id, {})[currency] = int(net) - gone
    return found
