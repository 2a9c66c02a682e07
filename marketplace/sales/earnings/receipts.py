"""Why a line is what it is: every step from the price to the amount, as values to be shown."""

from dataclasses import dataclass, field
from decimal import Decimal

from billing.formatting import format_bps, format_money
from billing.models import (
    CommissionRule,
    Earning,
    EarningKind,
    FeeRule,
    Funder,
    LedgerEntry,
    OrderLine,
    Side,
)
from billing.money import BPS, decimals


@dataclass(frozen=True)
class Step:
    """A row of the sum. `amount` in minor units with its sign; `note` says how it came about."""

    label: str
    amount: int
    note: str = ""
    is_total: bool = False


@dataclass(frozen=True)
class Exchange:
    """One side of a conversion, in minor units of its currency."""

    amount: int
    currency: str


@dataclass(frozen=True)
class Receipt:
    """The sum, the rule that made it, and the exchange where there was one."""

    steps: list[Step]
    rule: str = ""
    rounding: str = ""
    exchange: list[Exchange] = field(default_factory=list)
    rate: str = ""


def receipt_for(
    earning: Earning,
    *,
    fee_rule: FeeRule | None,
    commission_rule: CommissionRule | None,
    exchange: list[LedgerEntry],
) -> Receipt:
    """The receipt of a line, from what was frozen when it was sold. The steps always sum to it."""
    line = earning.line
    if earning.kind in {EarningKind.AFFILIATE_COMMISSION, EarningKind.RETURNED_COMMISSION}:
        steps, rule, rounding = _commission(earning, line, commission_rule)
    elif earning.kind is EarningKind.RESELLER_MARGIN:
        steps, rule, rounding = _margin(earning, line)
    else:
        steps, rule, rounding = _share(earning, line, fee_rule)
    steps.append(Step("Yours", earning.amount, is_total=True))
    if earning.reversed_amount:
        steps.append(Step("Refunded or lost in a dispute", -earning.reversed_amount))
        steps.append(Step("Left of it", earning.net, is_total=True))
    sides, rate = _exchange(exchange)
    return Receipt(steps, rule, rounding, sides, rate)


def _price(line: OrderLine) -> list[Step]:
    currency = line.order.currency
    seats = f"{line.quantity} × {format_money(line.unit_amount, currency)}"
    steps = [Step("Price", line.list_amount, seats if line.quantity != 1 else "")]
    theirs = line.discount_amount - line.discount_platform_amount
    names = ", ".join(str(each.get("name", "")) for each in line.discounts)
    if theirs:
        steps.append(Step("Discount that the seller funds", -theirs, names))
    return steps


def _share(earning: Earning, line: OrderLine, rule: FeeRule | None) -> tuple[list[Step], str, str]:
    currency = line.order.currency
    steps = _price(line)
    if line.margin_amount:
        steps.append(
            Step("The reseller's margin", -line.margin_amount, "What is above the floor price")
        )
    fixed = f" + {format_money(line.fee_fixed, currency)}" if line.fee_fixed else ""
    steps.append(
        Step(
            "Our fee",
            -line.fee_amount,
            f"{format_bps(line.fee_bps)} of {format_money(line.fee_base, currency)}{fixed}",
        )
    )
    if line.commission_amount and line.commission_funder is Funder.PUBLISHER:
        steps.append(
            Step(
                "The affiliate's commission",
                -line.commission_amount,
                f"{format_bps(line.commission_bps)} of "
                f"{format_money(line.commission_base, currency)}",
            )
        )
    _close(steps, earning.amount)
    named = ""
    if rule is not None:
        whom = " ".join(each for each in (rule.partner_type, rule.tier) if each) or "every partner"
        named = (
            f"Fee schedule “{rule.schedule.name}”, version {rule.schedule.version}, "
            f"the rule for {whom}"
        )
    return steps, named, _rounding(line.fee_base, line.fee_bps, currency)


def _margin(earning: Earning, line: OrderLine) -> tuple[list[Step], str, str]:
    steps = _price(line)
    steps.append(
        Step("The floor price, for publisher and fee", -line.floor_amount, "As agreed with them")
    )
    _close(steps, earning.amount)
    return steps, "", ""


def _commission(
    earning: Earning, line: OrderLine, rule: CommissionRule | None
) -> tuple[list[Step], str, str]:
    currency = line.order.currency
    steps = [Step("What the customer paid, without tax", line.net_amount)]
    not_counted = line.net_amount - earning.base
    if not_counted:
        steps.append(Step("Not counted for commissions", -not_counted))
    kept = earning.base - earning.amount
    fixed = f" + {format_money(rule.fixed, currency)}" if rule is not None and rule.fixed else ""
    cap = (
        f", at most {format_money(rule.cap, currency)}"
        if rule is not None and rule.cap is not None
        else ""
    )
    steps.append(Step("Not yours", -kept, f"You earn {format_bps(earning.rate_bps)}{fixed}{cap}"))
    named = (
        f"Program “{rule.program.name}”, version {rule.version} of its terms"
        if rule is not None
        else ""
    )
    rounding = "" if fixed or cap else _rounding(earning.base, earning.rate_bps, currency)
    return steps, named, rounding


def _close(steps: list[Step], amount: int) -> None:
    """A discount that the platform funds, and what else was given: the sum is always exact."""
    missing = amount - sum(step.amount for step in steps)
    if missing:
        steps.append(Step("Added or kept by us", missing, "A fee is never more than there is"))


def _rounding(base: int, bps: int, currency: str) -> str:
    """How a share was rounded; empty when it divides evenly."""
    if base * bps % BPS == 0:
        return ""
    exact = Decimal(base * bps) / BPS
    places = decimals(currency)
    rounded = (base * bps + BPS // 2) // BPS
    return (
        f"{format_bps(bps)} of {format_money(base, currency)} is "
        f"{exact.scaleb(-places).normalize():f} {currency}, rounded to "
        f"{format_money(rounded, currency)}: halves go up."
    )


def _exchange(entries: list[LedgerEntry]) -> tuple[list[Exchange], str]:
    """From what to what a charge was exchanged, and the rate as it comes out of both amounts."""
    given = [row for row in entries if row.account.code.startswith("stripe")]
    sides = [Exchange(row.amount, row.currency) for row in given if row.side is Side.CREDIT]
    sides += [Exchange(row.amount, row.currency) for row in given if row.side is Side.DEBIT]
    if len(sides) != 2:
        return [], ""
    before, after = sides
    rate = Decimal(after.amount).scaleb(-decimals(after.currency)) / Decimal(before.amount).scaleb(
        -decimals(before.currency)
    )
    return sides, f"1 {before.currency} = {rate:.6f} {after.currency}"
