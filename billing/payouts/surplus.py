"""A transfer that exists at Stripe although no payout waits for it.

It must not happen, and when it does (a person said that it had not happened, and it had), it is
not ignored: the partner has the money, so it owes it. What is payable to it is netted at once; the
rest is brought back by a reversal in Stripe's dashboard, or by what it earns next.
"""

from sqlalchemy import select

from billing.accounts import PARTNER_PAYABLE, PARTNER_RECEIVABLE, STRIPE_AVAILABLE
from billing.gateway import JsonDict
from billing.ledger import balance, credit, debit, lock_partner, post
from billing.models import LedgerTransaction, Payout
from billing.settlement.receivables import net_partner
from marketplace.core.database import db
from marketplace.core.facts import record_fact

KIND = "surplus_transfer"


def key_of_surplus(transfer_id: str) -> str:
    """The ledger's key of a surplus transfer."""
    return f"surplus:{transfer_id}"


def book_surplus(payout: Payout, transfer: JsonDict) -> None:
    """Book it, once. Hold the payout's locks. `transfer["amount"]` in minor units."""
    transfer_id, amount = str(transfer["id"]), int(transfer["amount"])
    key = key_of_surplus(transfer_id)
    if _is_posted(key):
        return
    post(
        KIND,
        source=("payout", payout.id),
        key=key,
        legs=[
            debit(PARTNER_RECEIVABLE, amount, payout.currency, payout.partner_id),
            credit(STRIPE_AVAILABLE, amount, payout.currency),
        ],
        memo=f"{transfer_id}: nothing waited for it",
    )
    net_partner(payout.partner_id, payout.currency)
    record_fact(
        "payout.surplus",
        subject=("payout", payout.id),
        organization_id=payout.partner_id,
        data={"amount": amount, "currency": payout.currency, "transfer": transfer_id},
    )


def surplus_reversed(transfer: JsonDict, reversals: list[JsonDict]) -> bool:
    """Book what was taken back of a surplus transfer; False when it is none of those."""
    public_id = str((transfer.get("metadata") or {}).get("payout", ""))
    payout = db.session.scalar(select(Payout).where(Payout.public_id == public_id))
    if payout is None or not _is_posted(key_of_surplus(str(transfer["id"]))):
        return False
    owner, currency = payout.partner_id, payout.currency
    lock_partner(owner, currency)
    for reversal in reversals:
        key = f"surplus_reversal:{reversal['id']}"
        if _is_posted(key):
            continue
        amount = int(reversal["amount"])
        # What was netted for it meanwhile is payable again.
        owed = min(amount, max(0, balance(PARTNER_RECEIVABLE, currency, owner)))
        post(
            "surplus_reversal",
            source=("payout", payout.id),
            key=key,
            legs=[
                debit(STRIPE_AVAILABLE, amount, currency),
                credit(PARTNER_RECEIVABLE, owed, currency, owner),
                credit(PARTNER_PAYABLE, amount - owed, currency, owner),
            ],
            memo=str(reversal["id"]),
        )
    return True


def _is_posted(key: str) -> bool:
    found = db.session.scalar(select(LedgerTransaction.id).where(LedgerTransaction.idem_key == key))
    return found is not None
