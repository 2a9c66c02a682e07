"""What the platform pays a partner out of its own pocket: a milestone of a grant, a reward.

It is payable at once, the next payout run pays it, and it is an expense of the platform
(`program_expense`). What the partner owes is netted from it like from anything else.
"""

from billing.accounts import PARTNER_PAYABLE, PROGRAM_EXPENSE
from billing.ledger import LedgerError, Source, credit, debit, lock_partner, post
from billing.models.ledger import LedgerTransaction
from billing.settlement.receivables import net_partner

# The kind of such a transaction in the ledger.
GRANT = "grant"


def pay_partner(
    partner_id: int, amount: int, currency: str, *, source: Source, key: str, memo: str
) -> LedgerTransaction:
    """Credit a partner with `amount` minor units, once per key; the transaction.

    `source` and `key` name what it is paid for, like ("milestone", 12) and `milestone:12`.
    Raises LedgerError for an amount that is not above zero or a currency that there is not, and
    LedgerConflictError when the key paid something else before.
    """
    if amount <= 0:
        raise LedgerError(f"{amount!r} is nothing to pay")
    lock_partner(partner_id, currency)
    posted = post(
        GRANT,
        source=source,
        key=key,
        legs=[
            debit(PROGRAM_EXPENSE, amount, currency),
            credit(PARTNER_PAYABLE, amount, currency, partner_id),
        ],
        memo=memo[:300],
    )
    if posted is None:  # pragma: no cover - the amount is above zero
        raise LedgerError("nothing was posted")
    net_partner(partner_id, currency)
    return posted
