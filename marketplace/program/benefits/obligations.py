"""Claims of benefits that wait for the operator, as obligations; wiring.py connects it."""

from sqlalchemy import select

from marketplace.core.database import db
from marketplace.program.benefits.models import BenefitClaim, ClaimState
from marketplace.program.scorecards.obligations import OPERATOR, Obligation


def claim_obligations(organization_id: int) -> list[Obligation]:
    """What a partner claimed and was not answered; a provider."""
    names = db.session.scalars(
        select(BenefitClaim.benefit_name)
        .where(
            BenefitClaim.organization_id == organization_id,
            BenefitClaim.state == ClaimState.CLAIMED,
        )
        .order_by(BenefitClaim.id)
    )
    return [
        Obligation(f"Give the benefit: {name}", OPERATOR, None, href="/partner/benefits")
        for name in names
    ]
