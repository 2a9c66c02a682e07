"""The chart of accounts, the same in every currency."""

from dataclasses import dataclass
from enum import StrEnum

from billing.models.ledger import Side


class Kind(StrEnum):
    """What an account is on a balance sheet or an income statement."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"
    CONTRA_INCOME = "contra_income"
    CLEARING = "clearing"


@dataclass(frozen=True)
class AccountType:
    """An account of the chart. `per_partner`: one for each partner, otherwise the platform's."""

    code: str
    number: str
    title: str
    kind: Kind
    per_partner: bool
    description: str

    @property
    def normal_side(self) -> Side:
        """The side on which it grows."""
        debit = {Kind.ASSET, Kind.EXPENSE, Kind.CONTRA_INCOME, Kind.CLEARING}
        return Side.DEBIT if self.kind in debit else Side.CREDIT


STRIPE_PENDING = "stripe_pending"
STRIPE_AVAILABLE = "stripe_available"
STRIPE_IN_TRANSIT = "stripe_in_transit"
BANK = "bank"
PARTNER_RECEIVABLE = "partner_receivable"
DISPUTE_HOLD = "dispute_hold"
PARTNER_HELD = "partner_held"
PARTNER_PAYABLE = "partner_payable"
PAYOUT_CLEARING = "payout_clearing"
TAX_PAYABLE = "tax_payable"
REFUND_CLEARING = "refund_clearing"
PLATFORM_FEE = "platform_fee"
PROCESSING_FEE = "processing_fee"
DISPUTE_FEE = "dispute_fee"
COMMISSION_EXPENSE = "commission_expense"
BAD_DEBT = "bad_debt"
PROGRAM_EXPENSE = "program_expense"
DISCOUNT = "discount"
FX_CLEARING = "fx_clearing"
FX_GAIN_LOSS = "fx_gain_loss"
ROUNDING = "rounding"
SUSPENSE = "suspense"

_ROWS: tuple[tuple[str, str, str, Kind, bool, str], ...] = (
    (STRIPE_PENDING, "1010", "Stripe, pending", Kind.ASSET, False,
     "Paid by customers, not yet available at Stripe"),
    (STRIPE_AVAILABLE, "1020", "Stripe, available", Kind.ASSET, False,
     "What Stripe would transfer or pay out now"),
    (STRIPE_IN_TRANSIT, "1030", "Stripe, in transit", Kind.ASSET, False,
     "Paid out by Stripe, not yet on the bank's statement"),
    (BANK, "1040", "Bank", Kind.ASSET, False, "Arrived from Stripe on the bank account"),
    (PARTNER_RECEIVABLE, "1110", "Partners owe", Kind.ASSET, True,
     "Taken back after it was paid out; netted against what the partner earns next"),
    (DISPUTE_HOLD, "1120", "Disputed", Kind.ASSET, False,
     "Withdrawn by Stripe until a dispute is decided"),
    (PARTNER_HELD, "2010", "Partners, held", Kind.LIABILITY, True,
     "Earned, but not yet released"),
    (PARTNER_PAYABLE, "2020", "Partners, payable", Kind.LIABILITY, True,
     "Released; the next payout run pays it"),
    (PAYOUT_CLEARING, "2030", "Payouts under way", Kind.LIABILITY, False,
     "Approved for payout, not yet transferred"),
    (TAX_PAYABLE, "2110", "Tax payable", Kind.LIABILITY, False,
     "Tax that customers paid, owed to the authorities"),
    (REFUND_CLEARING, "2120", "Refunds under way", Kind.LIABILITY, False,
     "Refunded to customers, not yet taken from the balance at Stripe"),
    (PLATFORM_FEE, "4010", "Platform fees", Kind.INCOME, False,
     "Our part of sales, and what partners pay us"),
    (DISCOUNT, "4090", "Discounts we fund", Kind.CONTRA_INCOME, False,
     "What the platform gives away of the price"),
    (PROCESSING_FEE, "5010", "Processing fees", Kind.EXPENSE, False, "What Stripe takes"),
    (DISPUTE_FEE, "5020", "Dispute fees", Kind.EXPENSE, False, "What Stripe takes for a dispute"),
    (COMMISSION_EXPENSE, "5030", "Commissions we fund", Kind.EXPENSE, False,
     "Affiliates of the platform's own programs"),
    (BAD_DEBT, "5040", "Bad debt", Kind.EXPENSE, False,
     "Owed by partners and written off; disputes of more than the charge"),
    (PROGRAM_EXPENSE, "5050", "Program payments", Kind.EXPENSE, False,
     "Grants and rewards that we pay to partners"),
    (FX_GAIN_LOSS, "5110", "Exchange gains and losses", Kind.EXPENSE, False,
     "A loss is a debit, a gain a credit"),
    (ROUNDING, "5120", "Rounding", Kind.EXPENSE, False, "What cannot be divided"),
    (FX_CLEARING, "9010", "Exchange clearing", Kind.CLEARING, False,
     "The other side of a conversion, in each of its two currencies"),
    (SUSPENSE, "9020", "Suspense", Kind.CLEARING, False,
     "Moved at Stripe for a reason that nobody has explained yet"),
)  # fmt: skip
CHART: dict[str, AccountType] = {row[0]: AccountType(*row) for row in _ROWS}
