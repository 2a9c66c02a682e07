"""What everybody gives back when a part of an order goes back to the customer. Pure.

The sum that went back so far says it all: each part is computed from that sum alone, and what is
moved is the difference to the sum before. So the parts never depend on how many refunds there
were, nor on their order, and when everything went back, everything was taken back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.models.discount import Funder
from billing.models.earning import EarningKind
from billing.models.order import OrderLine
from billing.money import BPS, apportion, proportion


class SettlementError(Exception):
    """What was asked for cannot be settled; the message is for people."""


@dataclass(frozen=True)
class Share:
    """One partner's part of one line, as it was frozen when the order was placed."""

    line_id: int
    kind: EarningKind
    partner_id: int
    amount: int
    base: int
    rate_bps: int
    hold_days: int
    hold_reason: str = ""
    is_funded_by_platform: bool = False


@dataclass(frozen=True)
class OrderParts:
    """An order as the ledger sees it, in minor units of its one currency.

    total + discount + commission = tax + fee + the shares' amounts; `discount` and `commission`
    are what the platform funds.
    """

    total: int
    tax: int
    discount: int
    commission: int
    fee: int
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class GoneBack:
    """Everybody's part of what went back. `shares` are in the order of OrderParts.shares.

    tax + fee + shares + bad_debt - discount - commission = what went back.
    """

    tax: int
    discount: int
    commission: int
    fee: int
    shares: tuple[int, ...]
    bad_debt: int

    def less(self, before: "GoneBack") -> "GoneBack":
        """The difference, part by part."""
        return GoneBack(
            self.tax - before.tax,
            self.discount - before.discount,
            self.commission - before.commission,
            self.fee - before.fee,
            tuple(now - then for now, then in zip(self.shares, before.shares, strict=True)),
            self.bad_debt - before.bad_debt,
        )


def gone_back(parts: OrderParts, amount: int) -> GoneBack:
    """Everybody's part once `amount` went back, with tax; what is above the total is bad debt.

    Tax and what the platform funded are their exact proportion, halves rounded up. The rest is
    apportioned to the fee and the shares (money.apportion), so that the sum is exact. No part
    ever falls when the amount grows. Raises ValueError below zero.
    """
    if amount < 0:
        raise ValueError("nothing less than nothing goes back")
    inside = min(amount, parts.total)
    tax = proportion(parts.tax, inside, parts.total)
    discount = proportion(parts.discount, inside, parts.total)
    commission = proportion(parts.commission, inside, parts.total)
    fee, *shares = apportion(
        inside - tax + discount + commission,
        [parts.fee, *(share.amount for share in parts.shares)],
    )
    return GoneBack(tax, discount, commission, fee, tuple(shares), amount - inside)


def parts_of(lines: Sequence[OrderLine]) -> OrderParts:
    """The parts of an order with these lines. Raises SettlementError when a line is not whole."""
    shares: list[Share] = []
    tax = discount = commission = fee = total = 0
    for line in lines:
        own = _shares_of(line)
        shares += own
        funded = sum(share.amount for share in own if share.is_funded_by_platform)
        line_fee = line.fee_amount
        left = (
            line.net_amount
            + line.discount_platform_amount
            + funded
            - sum(share.amount for share in own)
        )
        if line.publisher_id is None and line_fee == 0:
            # What the platform itself sells is its own.
            line_fee = left
        whole = (
            line.list_amount - line.discount_amount == line.net_amount
            and line.net_amount + line.tax_amount == line.total_amount
            and 0 <= line.discount_platform_amount <= line.discount_amount
            and min(line_fee, line.tax_amount, line.net_amount, *_amounts(own)) >= 0
            and line_fee == left
        )
        if not whole:
            raise SettlementError(
                f"Line {line.position} of order {line.order_id} does not sum up: "
                f"{left} is left for the fee, which is {line_fee}."
            )
        tax += line.tax_amount
        total += line.total_amount
        discount += line.discount_platform_amount
        commission += funded
        fee += line_fee
    return OrderParts(total, tax, discount, commission, fee, tuple(shares))


def _amounts(shares: Sequence[Share]) -> list[int]:
    return [share.amount for share in shares]


def _shares_of(line: OrderLine) -> list[Share]:
    """The partners' parts of a line that are more than nothing."""
    found = []
    if line.publisher_id is not None:
        found.append(
            Share(
                line.id,
                EarningKind.PUBLISHER_SHARE,
                line.publisher_id,
                line.publisher_amount,
                line.fee_base,
                max(0, BPS - line.fee_bps),
                line.publisher_hold_days,
            )
        )
    if line.reseller_id is not None:
        found.append(
            Share(
                line.id,
                EarningKind.RESELLER_MARGIN,
                line.reseller_id,
                line.margin_amount,
                line.margin_amount,
                BPS,
                line.margin_hold_days,
            )
        )
    if line.affiliate_organization_id is not None:
        found.append(
            Share(
                line.id,
                EarningKind.AFFILIATE_COMMISSION,
                line.affiliate_organization_id,
                line.commission_amount,
                line.commission_base,
                line.commission_bps,
                line.commission_hold_days,
                line.commission_hold_reason,
                line.commission_funder is Funder.PLATFORM,
            )
        )
    return [share for share in found if share.amount != 0]
