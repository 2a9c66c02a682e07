"""How one line of an order is divided between platform, publisher, reseller and affiliate.

price - discount = net, which the customer pays (and the tax on it).
What is divided is the net, and what the platform adds to it by a discount that it funds.
The fee is a share of the divided amount; in a resale, of the floor, since the margin above it
is the reseller's alone. The commission is a share of the net, and never more than it. Whoever
runs the affiliate program bears it: the publisher's comes out of the publisher's part, the
platform's is an expense of its own.
"""

from dataclasses import dataclass

from billing.models.discount import Funder
from billing.money import share


@dataclass(frozen=True)
class Terms:
    """What is known of a line before it is divided; amounts in minor units of one currency.

    `floor` is null when nothing is resold. `commission` is what affiliate.py computed of the net.
    """

    list_amount: int
    discount: int = 0
    discount_by_platform: int = 0
    fee_bps: int = 0
    fee_fixed: int = 0
    floor: int | None = None
    commission: int = 0
    commission_funder: Funder | None = None


@dataclass(frozen=True)
class Split:
    """The parts. fee + publisher + margin + publisher-funded commission = divided amount."""

    net: int
    divided: int
    fee_base: int
    fee: int
    publisher: int
    margin: int
    commission: int


class SplitError(ValueError):
    """The terms leave somebody with less than nothing."""


def split(terms: Terms) -> Split:
    """Divide a line. A fee or commission is cut to what there is. Raises SplitError."""
    if not 0 <= terms.discount_by_platform <= terms.discount <= terms.list_amount:
        raise SplitError("a discount is part of the price, the platform's part of it part of that")
    if min(terms.fee_bps, terms.fee_fixed, terms.commission) < 0:
        raise SplitError("no rate and no commission is below zero")
    net = terms.list_amount - terms.discount
    divided = net + terms.discount_by_platform
    margin = 0
    if terms.floor is not None:
        if terms.floor > divided:
            raise SplitError("a resale is never below the floor price")
        margin = divided - terms.floor
    fee_base = divided - margin
    fee = min(fee_base, share(fee_base, terms.fee_bps) + (terms.fee_fixed if fee_base else 0))
    left = fee_base - fee
    # A fixed commission on a small sale: more than was paid would invite people to buy from
    # themselves.
    commission = min(terms.commission, net)
    if terms.commission_funder is Funder.PUBLISHER:
        commission = min(commission, left)
        left -= commission
    elif terms.commission_funder is None:
        commission = 0
    return Split(net, divided, fee_base, fee, left, margin, commission)
