"""What reconciliation posts itself: what only Stripe's list of its movements tells.

Stripe's own fees, payouts to our bank, what nobody knows (to suspense), and that what customers
paid has become available.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, literal, select

from billing.accounts import (
    PROCESSING_FEE,
    STRIPE_AVAILABLE,
    STRIPE_IN_TRANSIT,
    STRIPE_PENDING,
    SUSPENSE,
)
from billing.ledger import Posting, credit, debit, post_all
from billing.models import (
    BalanceTransaction,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    ReconciliationMatch,
)
from billing.reconciliation.kinds import (
    AVAILABLE,
    CHARGE_TYPES,
    OWN_LINKS,
    PLATFORM_PAYOUT,
    PLATFORM_PAYOUT_FAILED,
    STRIPE_FEE,
    SUSPENSE_KIND,
    Link,
    link_of,
)
from billing.reconciliation.matching import (
    BALANCE_TXN,
    LEDGER_TXN,
    at_stripe_amount,
    in_parts,
    match_row,
)
from marketplace.core.database import db


def book_own(without: Sequence[BalanceTransaction]) -> int:
    """Post those that are ours to post and match them; how many."""
    postings = [
        (each, posting) for each in without if (posting := own_posting(each)) and posting.legs
    ]
    if not postings:
        return 0
    post_all([posting for _, posting in postings])
    keys = {posting.key: each for each, posting in postings}
    ids: dict[str, int] = {}
    for part in in_parts(sorted(keys)):
        ids |= dict(
            db.session.execute(
                select(LedgerTransaction.idem_key, LedgerTransaction.id).where(
                    LedgerTransaction.idem_key.in_(part)
                )
            ).all()
        )
    rows = [match_row(keys[key].id, txn_id, keys[key].net) for key, txn_id in ids.items()]
    if rows:
        db.session.execute(insert(ReconciliationMatch), rows)
    return len(rows)


def own_posting(found: BalanceTransaction) -> Posting | None:
    """The transaction for a movement that nobody else posts; None for what others post."""
    link = link_of(found.type, found.source_id)
    if link not in OWN_LINKS:
        return None
    currency, net = found.currency, found.net
    source: tuple[str, object] = (BALANCE_TXN, found.stripe_id)
    key = f"balance_txn:{found.stripe_id}"
    if link is Link.FEE:
        kind, legs = STRIPE_FEE, [
            debit(STRIPE_AVAILABLE, net, currency),
            credit(PROCESSING_FEE, net, currency),
        ]  # fmt: skip
    elif link is Link.UNKNOWN:
        kind, legs = SUSPENSE_KIND, [
            debit(STRIPE_AVAILABLE, net, currency),
            credit(SUSPENSE, net, currency),
        ]  # fmt: skip
    else:
        sent = link is Link.PAYOUT
        kind = PLATFORM_PAYOUT if sent else PLATFORM_PAYOUT_FAILED
        source = ("stripe_payout", found.source_id)
        key = f"stripe_payout:{found.source_id}:{'sent' if sent else 'failed'}"
        legs = [
            debit(STRIPE_IN_TRANSIT, -found.amount, currency),
            debit(PROCESSING_FEE, found.amount - net, currency),
            debit(STRIPE_AVAILABLE, net, currency),
        ]
    return Posting(
        kind=kind,
        source=source,
        key=key,
        legs=[leg for leg in legs if leg.amount],
        effective_at=found.created_at,
        memo=f"{found.type} {found.stripe_id}",
    )


def available_batch(until: datetime, after_id: int, limit: int) -> Sequence[BalanceTransaction]:
    """Customers' payments that became available by `until` and are still pending in the ledger."""
    return db.session.scalars(
        select(BalanceTransaction)
        .where(
            BalanceTransaction.id > after_id,
            BalanceTransaction.type.in_(CHARGE_TYPES),
            BalanceTransaction.available_on <= until,
            BalanceTransaction.net != 0,
            ~select(LedgerTransaction.id)
            .where(
                LedgerTransaction.idem_key
                == literal(f"{AVAILABLE}:").concat(BalanceTransaction.stripe_id)
            )
            .exists(),
        )
        .order_by(BalanceTransaction.id)
        .limit(limit)
    ).all()


def _agreeing(batch: Sequence[BalanceTransaction]) -> set[int]:
    """Those of which the ledger moved the net at Stripe. Others wait until they agree."""
    found: set[int] = set()
    for part in in_parts([each.id for each in batch]):
        found |= set(
            db.session.scalars(
                select(BalanceTransaction.id)
                .join(
                    ReconciliationMatch,
                    (ReconciliationMatch.left_type == BALANCE_TXN)
                    & (ReconciliationMatch.right_type == LEDGER_TXN)
                    & (ReconciliationMatch.left_id == BalanceTransaction.id),
                )
                .join(LedgerEntry, LedgerEntry.txn_id == ReconciliationMatch.right_id)
                .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
                .where(
                    BalanceTransaction.id.in_(part),
                    LedgerEntry.currency == BalanceTransaction.currency,
                )
                .group_by(BalanceTransaction.id)
                .having(func.sum(at_stripe_amount()) == BalanceTransaction.net)
            )
        )
    return found


def book_available(batch: Sequence[BalanceTransaction]) -> int:
    """Move those that agree with the ledger from pending to available; how many were new."""
    agreeing = _agreeing(batch)
    return post_all(
        [
            Posting(
                kind=AVAILABLE,
                source=(BALANCE_TXN, each.stripe_id),
                key=f"{AVAILABLE}:{each.stripe_id}",
                legs=(
                    debit(STRIPE_AVAILABLE, each.net, each.currency),
                    credit(STRIPE_PENDING, each.net, each.currency),
                ),
                effective_at=each.available_on,
            )
            for each in batch
            if each.id in agreeing
        ]
    )
