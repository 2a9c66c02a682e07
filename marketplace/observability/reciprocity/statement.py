"""What a partner and the operator gave each other in a time: one function for both.

Days are UTC, whoever reads it, so that both sides see the same sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, select

from billing.models import Order, OrderKind, OrderState
from marketplace.observability.dashboard.rows import (
    columns,
    commissions,
    measured,
    payouts,
    views,
)
from marketplace.observability.dashboard.tiles import Figure, Tile, figures
from marketplace.observability.periods import Period
from marketplace.pipeline.campaigns.models import Campaign, CampaignExpense, Side
from marketplace.program.benefits.models import BenefitClaim, ClaimState
from marketplace.program.measures import Measure


def _spent(side: Side) -> Any:
    """What one side spent on campaigns."""

    def rows(organization_id: int | None) -> Any:
        query = (
            select(
                *columns(
                    CampaignExpense.created_at,
                    Campaign.title,
                    Campaign.public_id,
                    CampaignExpense.amount,
                    Campaign.currency,
                )
            )
            .join(Campaign, Campaign.id == CampaignExpense.campaign_id)
            .where(CampaignExpense.side == side)
        )
        if organization_id is not None:
            query = query.where(Campaign.organization_id == organization_id)
        return query

    return rows


def _fees(organization_id: int | None) -> Any:
    """Fees of the program that were paid, less what was refunded since, with tax."""
    query = select(
        *columns(
            Order.paid_at,
            literal("order"),
            Order.public_id,
            Order.total - Order.refunded_total,
            Order.currency,
        )
    ).where(Order.kind == OrderKind.PROGRAM_FEE, Order.state == OrderState.PAID)
    if organization_id is not None:
        query = query.where(Order.organization_id == organization_id)
    return query


def _benefits(organization_id: int | None) -> Any:
    """Claims of benefits that were fulfilled."""
    query = select(
        *columns(
            BenefitClaim.decided_at, BenefitClaim.benefit_name, BenefitClaim.public_id, literal(1)
        )
    ).where(BenefitClaim.state == ClaimState.FULFILLED, BenefitClaim.decided_at.is_not(None))
    if organization_id is not None:
        query = query.where(BenefitClaim.organization_id == organization_id)
    return query


# From the operator to the partner.
GIVEN: tuple[Tile, ...] = (
    Tile("views", "Views of listings", "Visitors that the marketplace brought", "eye", views),
    Tile(
        "leads",
        "Leads",
        "Leads that the partner accepted",
        "inbox",
        measured(Measure.LEADS_ACCEPTED),
    ),
    Tile(
        "commissions",
        "Commissions and margins",
        "Earned, less what was taken back",
        "percent",
        commissions,
    ),
    Tile("payouts", "Paid out", "Transferred to the partner", "banknote", payouts),
    Tile(
        "benefits",
        "Benefits fulfilled",
        "Claims that the operator fulfilled",
        "gift",
        _benefits,
    ),
    Tile(
        "marketing",
        "Co-marketing",
        "Spent by the operator on campaigns",
        "megaphone",
        _spent(Side.PLATFORM),
    ),
)
# From the partner to the operator.
RECEIVED: tuple[Tile, ...] = (
    Tile(
        "deals", "Deals won", "Registered by the partner", "handshake", measured(Measure.DEALS_WON)
    ),
    Tile(
        "sourced",
        "Sourced",
        "The partner’s share of deals that it brought",
        "target",
        measured(Measure.DEALS_SOURCED),
    ),
    Tile(
        "revenue",
        "Net revenue",
        "Paid by customers for what the partner sold or brought",
        "chart-line",
        measured(Measure.NET_REVENUE),
    ),
    Tile("fees", "Program fees", "Paid by the partner", "receipt", _fees),
    Tile(
        "referrals",
        "Partners invited",
        "Invited partners that were approved",
        "user-plus",
        measured(Measure.PARTNERS_INVITED),
    ),
    Tile(
        "training",
        "Training sessions",
        "Held by the partner’s trainers",
        "book-open",
        measured(Measure.TRAINING_SESSIONS),
    ),
    Tile(
        "cases",
        "Case studies",
        "Published with the partner",
        "file-text",
        measured(Measure.CASE_STUDIES),
    ),
    Tile(
        "marketing_own",
        "Co-marketing",
        "Spent by the partner on campaigns",
        "megaphone",
        _spent(Side.PARTNER),
    ),
)


@dataclass(frozen=True)
class GivenAndReceived:
    """Both sides of a time. `given` is from the operator to the partner."""

    period: Period
    given: Sequence[Figure]
    received: Sequence[Figure]

    def lines(self) -> list[tuple[str, Figure]]:
        """All lines, each with who gave."""
        return [
            *(("operator", figure) for figure in self.given),
            *(("partner", figure) for figure in self.received),
        ]


def statement_of(organization_id: int, period: Period) -> GivenAndReceived:
    """What was given and received in a time: one query."""
    found = figures((*GIVEN, *RECEIVED), organization_id, period)
    given = {tile.key for tile in GIVEN}
    return GivenAndReceived(
        period,
        [figure for figure in found if figure.tile.key in given],
        [figure for figure in found if figure.tile.key not in given],
    )
