"""The certification fee of the fee schedule: whether it is due, and what has paid it."""

from sqlalchemy import select

from billing.models import FeeKind, FeeRule, Order, OrderKind, OrderLine, OrderState
from billing.partner_facts import partner_facts
from billing.program_fees import fees_of_partner
from marketplace.accreditation.certification.models import Certification, CertificationProgram
from marketplace.core import clock
from marketplace.core.database import db


def is_due(program: CertificationProgram, organization_id: int) -> bool:
    """Whether the schedule in force asks this partner for a certification fee."""
    if not program.takes_fee:
        return False
    facts = partner_facts([organization_id])[organization_id]
    return any(fee.kind is FeeKind.CERTIFICATION for fee in fees_of_partner(facts, clock.now()))


def paid_order_id(organization_id: int, listing_id: int) -> int | None:
    """A paid order of the fee for the listing that no certification has used; the oldest."""
    used = select(Certification.fee_order_id).where(Certification.fee_order_id.is_not(None))
    return db.session.scalar(
        select(Order.id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(FeeRule, FeeRule.id == OrderLine.fee_rule_id)
        .where(
            Order.organization_id == organization_id,
            Order.kind == OrderKind.PROGRAM_FEE,
            Order.state == OrderState.PAID,
            FeeRule.kind == FeeKind.CERTIFICATION,
            OrderLine.listing_id == listing_id,
            Order.id.not_in(used),
        )
        .order_by(Order.id)
        .limit(1)
    )
