"""One attempt to pay a payout: what it is called at Stripe, and who may decide about it.

A decision about a payout is made with its partner and then its row locked, always in this order;
where the run is decided about as well, the run's row comes first.
"""

from sqlalchemy import select

from billing.ledger import lock_partner
from billing.models import Payout
from marketplace.core.database import db
from marketplace.core.locks import lock_row


def key_of(payout: Payout) -> str:
    """The idempotency key of its present attempt. A definite rejection begins a new one."""
    return f"payout:{payout.id}:a{payout.attempt}"


def group_of(payout: Payout) -> str:
    """The transfer_group by which its transfer is found at Stripe when an answer was lost."""
    return f"payout_{payout.public_id}"


def lock_payout(payout_id: int) -> Payout | None:
    """The payout, read anew, about which nobody else decides until this transaction ends."""
    found = db.session.execute(
        select(Payout.partner_id, Payout.currency).where(Payout.id == payout_id)
    ).first()
    if found is None:
        return None
    lock_partner(found.partner_id, found.currency)
    return lock_row(Payout, Payout.id == payout_id)


def lock_attempt(payout_id: int, attempt: int) -> Payout | None:
    """The same, where this very attempt is still the present one and not over; else None.

    Whoever was slow to say what came of an attempt says nothing about a later one.
    """
    payout = lock_payout(payout_id)
    if payout is None or payout.attempt != attempt or payout.transfer_id is not None:
        return None
    return payout
