"""What exactly was approved, in 64 characters: partner, currency and amount of each payout."""

import hashlib

from sqlalchemy import select

from billing.models import Payout, PayoutState
from marketplace.core.database import db


def digest_of(run_id: int) -> str:
    """The SHA-256 hex digest of what a computed run would pay, in order of partner and currency.

    Rows are streamed, so that a large run costs no memory.
    """
    digest = hashlib.sha256()
    rows = db.session.execute(
        select(Payout.partner_id, Payout.currency, Payout.amount)
        .where(Payout.run_id == run_id, Payout.state == PayoutState.COMPUTED)
        .order_by(Payout.partner_id, Payout.currency)
        .execution_options(yield_per=1_000)
    )
    for partner_id, currency, amount in rows:
        digest.update(f"{partner_id}:{currency}:{amount}\n".encode())
    return digest.hexdigest()
