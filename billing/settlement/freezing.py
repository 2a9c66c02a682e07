"""Freezing an earning, for as many reasons as there are, and taking it away from somebody.

Each freeze has a cause: `hold` for what a person decides, `dispute:<id>` for a dispute. An
earning is free again when the last cause is lifted, and then released when it is due.
"""

from datetime import datetime

from sqlalchemy import func, select

from billing.accounts import COMMISSION_EXPENSE, PARTNER_HELD, PARTNER_PAYABLE
from billing.ledger import credit, debit, lock_partners, post
from billing.models.discount import Funder
from billing.models.earning import Earning, EarningKind, EarningState
from billing.models.ledger import LedgerTransaction
from billing.models.order import OrderLine
from billing.public_ids import new_public_id
from billing.settlement.balances import free_payables, held_of, unpaid_of
from billing.settlement.locks import lock_order
from billing.settlement.parts import SettlementError
from billing.settlement.reversals import plan_reversals
from billing.settlement.sales import HOLD, earnings_of
from billing.settlement.taking import set_states, take_from
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new

LONGEST_REASON = 300


def freeze(
    earning: Earning, reason: str, *, cause: str = HOLD, by_user_id: int | None = None
) -> None:
    """Release nothing of `earning` while the cause stands; what is payable and set apart for no
    payout is held again. Freezing it again for the same cause changes the reason alone.

    What was paid out, or is being paid out, stays so; when that comes back, it is held again.
    """
    if not reason.strip():
        raise SettlementError("Say why it is frozen.")
    lock_partners([(earning.partner_id, earning.currency)])
    db.session.refresh(earning)
    _set_freezes(earning, earning.freezes | {cause: reason.strip()})
    back = hold_again(earning)
    _tell(earning, "earning.frozen", {"cause": cause, "held_again": back}, by_user_id)


def hold_again(earning: Earning) -> int:
    """Hold what of a frozen earning is payable and set apart for no payout; how much, in minor
    units. Hold the partner's lock."""
    unpaid = unpaid_of([earning.id])[earning.id]
    free = free_payables([earning.partner_id], earning.currency)[earning.partner_id]
    # What was taken away of it while it was set apart is owed by the partner, and was netted when
    # it came back: what is payable beyond what is left of it belongs to other earnings.
    left = earning.net - held_of([earning.id])[earning.id]
    back = max(0, min(unpaid, free, left))
    if back:
        whose = (earning.currency, earning.partner_id, earning.id)
        post(
            "freeze",
            source=("earning", earning.id),
            key=f"earning:{earning.id}:freeze:{count_of(earning.id, 'freeze') + 1}",
            legs=[debit(PARTNER_PAYABLE, back, *whose), credit(PARTNER_HELD, back, *whose)],
            order_id=earning.order_id,
            memo=earning.frozen_reason,
        )
    set_states([earning])
    return back


def unfreeze(earning: Earning, *, cause: str = HOLD, by_user_id: int | None = None) -> None:
    """Lift one cause. It is released at its date when no other is left; no cause, no change."""
    lock_partners([(earning.partner_id, earning.currency)])
    db.session.refresh(earning)
    if cause not in earning.freezes:
        return
    _set_freezes(earning, {key: why for key, why in earning.freezes.items() if key != cause})
    _tell(earning, "earning.unfrozen", {"cause": cause}, by_user_id)


def void(earning: Earning, reason: str, *, by_user_id: int | None = None) -> Earning | None:
    """Take what is left of a commission away for good, for a reason like fraud.

    It goes to whoever funded it: the platform, or the publisher, as an earning of its own that
    this gives (None for the platform's). What was paid out is owed by the affiliate. Doing it
    again changes nothing. Raises SettlementError for anything but a commission.
    """
    if earning.kind is not EarningKind.AFFILIATE_COMMISSION:
        raise SettlementError("Only a commission can be voided; a sale is undone by a refund.")
    if not reason.strip():
        raise SettlementError("Say why it is voided.")
    order = lock_order(earning.order_id)
    line = db.session.get_one(OrderLine, earning.order_line_id)
    others = {(line.publisher_id, order.currency)} if line.publisher_id is not None else set()
    lock_partners({(each.partner_id, each.currency) for each in earnings_of(order.id)} | others)
    db.session.refresh(earning)
    if earning.voided_at is not None:
        return _returned(earning)
    left = earning.net
    heir = _make_heir(earning, line)
    taken = take_from([(earning, left)])
    post(
        "void",
        source=("earning", earning.id),
        key=f"earning:{earning.id}:void",
        legs=[
            *(leg for each in taken for leg in each.legs()),
            credit(COMMISSION_EXPENSE, left, earning.currency)
            if heir is None
            else credit(PARTNER_HELD, left, heir.currency, heir.partner_id, heir.id),
        ],
        order_id=order.id,
        memo=reason.strip()[:LONGEST_REASON],
    )
    earning.reversed_amount = earning.amount
    earning.void_reason, earning.voided_at = reason.strip()[:LONGEST_REASON], clock.now()
    set_states([earning] if heir is None else [earning, heir])
    plan_reversals(taken)
    _tell(earning, "earning.voided", {"amount": left}, by_user_id)
    return heir


def freeze_order(order_id: int, reason: str, *, cause: str) -> None:
    """Freeze every earning of an order. Lock the order and lock_parties() before."""
    for earning in earnings_of(order_id):
        freeze(earning, reason, cause=cause)


def unfreeze_order(order_id: int, *, cause: str) -> None:
    """Lift a cause from every earning of an order."""
    for earning in earnings_of(order_id):
        unfreeze(earning, cause=cause)


def count_of(earning_id: int, kind: str) -> int:
    """How many transactions of that kind an earning has caused."""
    return int(
        db.session.scalar(
            select(func.count()).where(
                LedgerTransaction.source_type == "earning",
                LedgerTransaction.source_id == str(earning_id),
                LedgerTransaction.kind == kind,
            )
        )
        or 0
    )


def _make_heir(earning: Earning, line: OrderLine) -> Earning | None:
    """The publisher's earning that takes the place of a voided commission it had funded."""
    if line.commission_funder is Funder.PLATFORM or line.publisher_id is None:
        return None
    due: datetime = max(earning.release_at, clock.now())
    disputes = {key: why for key, why in earning.freezes.items() if key != HOLD}
    insert_if_new(
        Earning,
        public_id=new_public_id("ern"),
        order_line_id=line.id,
        order_id=earning.order_id,
        partner_id=line.publisher_id,
        kind=EarningKind.RETURNED_COMMISSION,
        currency=earning.currency,
        base=earning.base,
        rate_bps=earning.rate_bps,
        # It stands for the whole commission, of which refunds took their part already.
        amount=earning.amount,
        reversed_amount=earning.reversed_amount,
        state=EarningState.HELD,
        release_at=due,
        freezes=disputes,
        frozen_reason="; ".join(disputes.values())[:LONGEST_REASON],
        frozen_at=clock.now() if disputes else None,
        void_reason="",
        created_at=clock.now(),
    )
    return _returned(earning)


def _returned(earning: Earning) -> Earning | None:
    return db.session.scalar(
        select(Earning).where(
            Earning.order_line_id == earning.order_line_id,
            Earning.kind == EarningKind.RETURNED_COMMISSION,
        )
    )


def _set_freezes(earning: Earning, freezes: dict[str, str]) -> None:
    earning.freezes = freezes
    earning.frozen_reason = "; ".join(freezes.values())[:LONGEST_REASON]
    earning.frozen_at = (earning.frozen_at or clock.now()) if freezes else None
    db.session.flush()


def _tell(earning: Earning, kind: str, data: dict[str, object], by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("earning", earning.id),
        organization_id=earning.partner_id,
        actor_user_id=by_user_id,
        data=data,
    )
