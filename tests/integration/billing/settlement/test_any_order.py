"""Whatever order Stripe's news of a sale comes in, each of them once: the books end the same."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from billing.models import Dispute, Earning, Funder, Order, Payout, Refund, TransferReversal
from billing.money import TWO_DECIMAL
from billing.payouts.returns import transfer_changed
from billing.settlement.charges import record_charge
from billing.settlement.disputes import settle_dispute
from billing.settlement.refunds import settle_refund
from billing.settlement.release import release_due
from billing.settlement.returned import went_back
from billing.settlement.reversals import settle_reversal
from marketplace.core.database import db
from tests.factories.settlement import (
    AFFILIATE,
    PUBLISHER,
    LineTerms,
    assert_sound,
    books,
    pay_out,
    purse,
    sell,
    stripe_charge,
    stripe_dispute,
    stripe_refund,
)

TERMS = LineTerms(9_000, commission=900, funder=Funder.PUBLISHER, tax_bps=1_900, hold_days=0)
# What of the publisher's transfer somebody takes back in Stripe's dashboard.
TAKEN_BACK = 2_000


@dataclass(frozen=True)
class Outcome:
    """Where everything stands in the end."""

    books: dict[str, int]
    purses: list[tuple[int, int, int]]
    earnings: list[tuple[str, int]]
    went_back: int
    reversed: int
    disputes: list[str]
    refunds: list[str]


def news_of(order: Order, payout: Payout) -> list[Callable[[], object]]:
    """Each as Stripe says it at that moment; what comes late is old by then."""
    name = order.currency
    reversal = {"id": f"trr_{name}", "amount": TAKEN_BACK, "metadata": {}}
    transfer = {"id": payout.transfer_id, "metadata": {}}
    return [
        lambda: record_charge(order.id, stripe_charge(order)),
        lambda: settle_refund(stripe_refund(order, 3_000, f"re_{name}")),
        lambda: settle_dispute(stripe_dispute(order, 8_000, f"du_{name}")),
        lambda: settle_dispute(stripe_dispute(order, 8_000, f"du_{name}", "lost")),
        lambda: transfer_changed(transfer, [reversal]),
    ]


def nothing_more_comes_back(payout: Payout) -> None:
    """Stripe refuses the reversals that we asked for: the partner has spent the money."""
    asked = select(TransferReversal.id).where(
        TransferReversal.payout_id == payout.id, TransferReversal.state == "intended"
    )
    for row_id in db.session.scalars(asked).all():
        settle_reversal(row_id, None, "The account has no balance.")


def outcome_of(order: Order, payout: Payout) -> Outcome:
    db.session.flush()
    db.session.refresh(payout)
    earnings = select(Earning).where(Earning.order_id == order.id).order_by(Earning.id)
    disputes = select(Dispute.state).where(Dispute.order_id == order.id)
    refunds = select(Refund.state).where(Refund.order_id == order.id)
    return Outcome(
        books(order.currency),
        [purse(partner, order.currency) for partner in (PUBLISHER, AFFILIATE)],
        [(each.state.value, each.net) for each in db.session.scalars(earnings)],
        went_back(order.id),
        payout.reversed_amount,
        [each.value for each in db.session.scalars(disputes)],
        [each.value for each in db.session.scalars(refunds)],
    )


def test_every_order_of_the_same_news_each_told_once_ends_in_the_same_books(
    app: Flask, database_kind: str
) -> None:
    # A currency of its own for each order of the news: ledgers beside each other. Each piece of
    # news comes directly before each other one in some of these; on PostgreSQL, which takes
    # longer, it comes before each other one.
    sequences = list(itertools.permutations(range(5)))[:: 5 if database_kind == "sqlite" else 17]
    sold = [
        (sequence, sell(TERMS, currency=currency)[0])
        for sequence, currency in zip(sequences, sorted(TWO_DECIMAL), strict=False)
    ]
    release_due()
    outcomes = {}
    for sequence, order in sold:
        payout = pay_out(PUBLISHER, order.currency)
        assert payout is not None
        news = news_of(order, payout)
        for number in sequence:
            news[number]()
        nothing_more_comes_back(payout)
        outcomes[sequence] = outcome_of(order, payout)
    assert set(map(repr, outcomes.values())) == {
        repr(
            Outcome(
                books={
                    "stripe_pending": 10_535,
                    "stripe_available": -17_250,
                    "processing_fee": 175,
                    "dispute_fee": 1_500,
                    "bad_debt": 290,
                },
                # The publisher's whole share, without what came back from its transfer.
                purses=[(0, 0, 6_750 - TAKEN_BACK), (0, 0, 0)],
                earnings=[("void", 0), ("void", 0)],
                went_back=11_000,
                reversed=TAKEN_BACK,
                disputes=["lost"],
                refunds=["succeeded"],
            )
        )
    }
    assert_sound()
