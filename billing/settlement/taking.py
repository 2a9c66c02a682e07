"""Taking a part of an order back from everybody, and giving it back when that is undone.

A partner's part comes first from what is held of that very earning, then from what is payable to
the partner and in no payout, and the rest is owed by the partner. What is given back is held
again, and released like everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.accounts import (
    BAD_DEBT,
    COMMISSION_EXPENSE,
    DISCOUNT,
    PARTNER_HELD,
    PARTNER_PAYABLE,
    PARTNER_RECEIVABLE,
    PLATFORM_FEE,
    TAX_PAYABLE,
)
from billing.ledger import Leg, credit, debit, lock_partners, post
from billing.models.earning import Earning, EarningKind, EarningState
from billing.models.ledger import LedgerTransaction
from billing.models.order import Order
from billing.settlement.balances import free_payables, held_of
from billing.settlement.parts import GoneBack, OrderParts, SettlementError, Share, gone_back
from billing.settlement.sales import earnings_of, order_parts
from marketplace.core.database import db


@dataclass(frozen=True)
class Taken:
    """From where a part of an earning came; negative amounts were given back."""

    earning: Earning
    amount: int
    from_held: int
    from_payable: int
    owed: int

    def legs(self) -> list[Leg]:
        """The debits of the partner's accounts."""
        who, currency, earning_id = self.earning.partner_id, self.earning.currency, self.earning.id
        return [
            debit(PARTNER_HELD, self.from_held, currency, who, earning_id),
            debit(PARTNER_PAYABLE, self.from_payable, currency, who, earning_id),
            debit(PARTNER_RECEIVABLE, self.owed, currency, who, earning_id),
        ]


@dataclass(frozen=True)
class Change:
    """What changes for everybody when the sum that went back goes from one amount to another."""

    parts: GoneBack
    taken: tuple[Taken, ...]
    # Of commissions that were voided and that the platform funds: nobody's but its own.
    own_commission: int
    currency: str

    def legs(self) -> list[Leg]:
        """All legs but the other side, which is a credit of what goes back."""
        return [
            debit(TAX_PAYABLE, self.parts.tax, self.currency),
            debit(PLATFORM_FEE, self.parts.fee, self.currency),
            debit(BAD_DEBT, self.parts.bad_debt, self.currency),
            *(leg for each in self.taken for leg in each.legs()),
            credit(DISCOUNT, self.parts.discount, self.currency),
            credit(COMMISSION_EXPENSE, self.parts.commission - self.own_commission, self.currency),
        ]


def change_of(order: Order, before: int, after: int) -> Change:
    """What changes when `after` instead of `before` went back. Both in minor units, with tax.

    To post it, hold the locks of lock_parties().
    """
    parts, earnings = order_parts(order), earnings_of(order.id)
    was, is_now = gone_back(parts, before), gone_back(parts, after)
    change = is_now.less(was)
    wanted, own = _bearers(parts, change, earnings)
    return Change(change, take_from(wanted), own, order.currency)


def lock_parties(order: Order) -> None:
    """Lock every partner of an order. Lock the order itself before (locks.lock_order)."""
    lock_partners({(each.partner_id, each.currency) for each in earnings_of(order.id)})


def post_change(
    order: Order,
    before: int,
    after: int,
    *,
    kind: str,
    source: tuple[str, object],
    key: str,
    others: Sequence[Leg],
    memo: str = "",
) -> tuple[LedgerTransaction | None, Change]:
    """Post what changes for everybody, against `others`, and keep the earnings in step."""
    change = change_of(order, before, after)
    txn = post(
        kind,
        source=source,
        key=key,
        legs=[*change.legs(), *others],
        order_id=order.id,
        memo=memo,
    )
    for taken in change.taken:
        taken.earning.reversed_amount += taken.amount
    set_states([taken.earning for taken in change.taken])
    order.refunded_total = min(after, order.total)
    db.session.flush()
    return txn, change


def take_from(wanted: Sequence[tuple[Earning, int]]) -> tuple[Taken, ...]:
    """Where each amount comes from; a negative one is given back into what is held."""
    held = held_of([earning.id for earning, _ in wanted])
    free: dict[tuple[int, str], int] = {}
    for currency in {earning.currency for earning, _ in wanted}:
        owners = {earning.partner_id for earning, _ in wanted if earning.currency == currency}
        for owner, amount in free_payables(owners, currency).items():
            free[owner, currency] = max(0, amount)
    found = []
    for earning, amount in wanted:
        if amount <= 0:
            found.append(Taken(earning, amount, amount, 0, 0))
            continue
        whose = (earning.partner_id, earning.currency)
        from_held = min(amount, max(0, held[earning.id]))
        from_payable = min(amount - from_held, free[whose])
        free[whose] -= from_payable
        found.append(
            Taken(earning, amount, from_held, from_payable, amount - from_held - from_payable)
        )
    return tuple(found)


def set_states(earnings: Sequence[Earning]) -> None:
    """Set each earning's state by what the ledger holds of it."""
    db.session.flush()
    held = held_of([earning.id for earning in earnings])
    for earning in earnings:
        if earning.net == 0:
            earning.state = EarningState.VOID
        elif held[earning.id] > 0:
            earning.state = EarningState.HELD
        else:
            earning.state = EarningState.PAYABLE
    db.session.flush()


def _bearers(
    parts: OrderParts, change: GoneBack, earnings: Sequence[Earning]
) -> tuple[list[tuple[Earning, int]], int]:
    """Whose earnings bear the shares; and what the platform does, of commissions it took back."""
    by_share = {(each.order_line_id, each.kind): each for each in earnings}
    wanted, own = [], 0
    for share, amount in zip(parts.shares, change.shares, strict=True):
        if amount == 0:
            continue
        earning = _bearer(share, by_share)
        if earning is None:
            own += amount
        else:
            wanted.append((earning, amount))
    return wanted, own


def _bearer(share: Share, by_share: dict[tuple[int, EarningKind], Earning]) -> Earning | None:
    earning = by_share.get((share.line_id, share.kind))
    if earning is None:
        raise SettlementError(f"The sale of line {share.line_id} is not posted yet.")
    if earning.voided_at is None:
        return earning
    # A voided commission went to whoever had funded it, who bears what goes back of it.
    return by_share.get((share.line_id, EarningKind.RETURNED_COMMISSION))
