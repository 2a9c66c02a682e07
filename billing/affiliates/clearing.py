"""Releasing a commission that a rule of fraud held, so that the same does not hold the next one."""

from billing.ledger import lock_partners
from billing.models.affiliate import CommissionClearance
from billing.models.earning import Earning
from billing.settlement.freezing import unfreeze
from billing.settlement.sales import HOLD
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.once import insert_if_new


def clear(earning: Earning, *, by_user_id: int | None) -> bool:
    """Release a held commission, and remember who decided so and when: what is sold to this
    customer by this affiliate later is not held for the same reason. False when it is not held.
    """
    lock_partners([(earning.partner_id, earning.currency)])
    db.session.refresh(earning)
    reason = earning.freezes.get(HOLD)
    if not reason:
        return False
    line = earning.line
    if line.affiliate_id is not None:
        insert_if_new(
            CommissionClearance,
            earning_id=earning.id,
            affiliate_id=line.affiliate_id,
            organization_id=line.order.organization_id,
            reason=str(reason)[:300],
            decided_by_id=by_user_id,
            decided_at=clock.now(),
        )
    unfreeze(earning, by_user_id=by_user_id)
    return True
