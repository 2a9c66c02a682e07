"""What each of Stripe's balance transactions is in our ledger. Pure.

Types as in https://docs.stripe.com/reports/balance-transaction-types. What is not named here is
unknown, and goes to suspense until somebody explains it.
"""

from enum import StrEnum

from billing.accounts import DISPUTE_FEE, PROCESSING_FEE, STRIPE_AVAILABLE, STRIPE_PENDING

# Kinds of ledger transactions that reconciliation itself posts.
AVAILABLE = "available"
PLATFORM_PAYOUT = "platform_payout"
PLATFORM_PAYOUT_FAILED = "platform_payout_failed"
STRIPE_FEE = "stripe_fee"
SUSPENSE_KIND = "suspense"
BANK_KIND = "bank"
CORRECTION = "correction"

# The two accounts that together are the balance at Stripe.
STRIPE_ACCOUNTS = (STRIPE_PENDING, STRIPE_AVAILABLE)
FEE_ACCOUNTS = (PROCESSING_FEE, DISPUTE_FEE)


class Link(StrEnum):
    """How a balance transaction leads to the ledger."""

    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    TRANSFER = "transfer"
    REVERSAL = "reversal"
    PAYOUT = "payout"
    PAYOUT_FAILURE = "payout_failure"
    FEE = "fee"
    UNKNOWN = "unknown"


CHARGE_TYPES = ("charge", "payment")
_LINKS: dict[str, Link] = {
    "charge": Link.CHARGE,
    "payment": Link.CHARGE,
    "refund": Link.REFUND,
    "payment_refund": Link.REFUND,
    "refund_failure": Link.REFUND_FAILURE,
    "transfer": Link.TRANSFER,
    "transfer_refund": Link.REVERSAL,
    "transfer_cancel": Link.REVERSAL,
    "transfer_failure": Link.REVERSAL,
    "transfer_reversal": Link.REVERSAL,
    "payout": Link.PAYOUT,
    "payout_cancel": Link.PAYOUT_FAILURE,
    "payout_failure": Link.PAYOUT_FAILURE,
    "stripe_fee": Link.FEE,
    "stripe_fx_fee": Link.FEE,
    "tax_fee": Link.FEE,
    "network_cost": Link.FEE,
}
# What reconciliation posts itself, because nobody else learns of it.
OWN_LINKS = frozenset({Link.PAYOUT, Link.PAYOUT_FAILURE, Link.FEE, Link.UNKNOWN})


def link_of(type_: str, source_id: str) -> Link:
    """How a balance transaction of this type and source leads to the ledger."""
    if type_ == "adjustment" and source_id.startswith(("dp_", "du_")):
        return Link.DISPUTE
    return _LINKS.get(type_, Link.UNKNOWN)
