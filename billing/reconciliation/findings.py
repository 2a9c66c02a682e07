"""What does not agree, as values; and the arithmetic of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billing.models import BreakType


@dataclass(frozen=True)
class Finding:
    """A difference between two sides. `amount` is what the ledger lacks (below 0: has too much),
    in minor units; of a bank finding, what the bank lacks."""

    type: BreakType
    subject_type: str
    subject_id: str
    amount: int
    currency: str
    occurred_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    # Not empty: it explains itself.
    reason: str = ""

    @property
    def fingerprint(self) -> str:
        """What makes it the same break when it is found again."""
        return f"{self.type.value}:{self.currency}:{self.subject_type}:{self.subject_id}"[:160]


@dataclass(frozen=True)
class Sides:
    """One balance transaction and what the ledger says of it, in its currency, signed.

    `moved`: in the accounts at Stripe; `fee_booked`: to fees, as a debit; `elsewhere`: at Stripe
    in another currency.
    """

    amount: int
    fee: int
    net: int
    moved: int
    fee_booked: int = 0
    elsewhere: int = 0


def differences_of(sides: Sides) -> list[tuple[BreakType, int]]:
    """What does not agree and by how much; empty when all does."""
    if sides.elsewhere:
        return [(BreakType.CURRENCY, sides.net - sides.moved)]
    found = []
    gross = sides.amount - (sides.moved + sides.fee_booked)
    fee = sides.fee - sides.fee_booked
    if gross:
        found.append((BreakType.AMOUNT, gross))
    if fee:
        found.append((BreakType.FEE, fee))
    if not found and sides.net != sides.moved:
        # Stripe's own three figures do not add up: our copy of them was changed.
        found.append((BreakType.AMOUNT, sides.net - sides.moved))
    return found
