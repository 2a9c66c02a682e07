"""Converting a partner's balance out of a currency that was replaced: by two people, posted once.

Nothing is transferred in such a currency, so what is payable in it would be held for ever. One
person of finance asks, with the rate and where it is from; another approves. Both currencies meet
in fx_clearing, where sales that Stripe exchanged have left the same two: what the partner gets
and what these sales brought for that money differ by our gain or loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.exc import IntegrityError

from billing.accounts import FX_CLEARING, FX_GAIN_LOSS, PARTNER_PAYABLE, PARTNER_RECEIVABLE
from billing.formatting import format_money
from billing.ledger import credit, debit, lock_partners, post
from billing.models.conversion import BalanceConversion, ConvertedSide
from billing.models.earning import Earning
from billing.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from billing.money import decimals
from billing.payouts.eligibility import RETIRED
from billing.payouts.payable import as_credit
from billing.settlement.balances import free_payables, free_receivables
from billing.settlement.parts import SettlementError
from billing.settlement.receivables import net_partner
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.pagination import Page

KIND = "conversion"
ACCOUNTS: Mapping[ConvertedSide, str] = {
    ConvertedSide.PAYABLE: PARTNER_PAYABLE,
    ConvertedSide.OWED: PARTNER_RECEIVABLE,
}
# Rates that a law has fixed for ever: how many of the old currency are one of the new, and where
# that stands.
FIXED_RATES: Mapping[str, tuple[str, str]] = {
    "BGN": (
        "1.95583",
        "The rate that the Council of the EU fixed when Bulgaria took the euro on 1 January 2026",
    ),
}
MOST_DIGITS = 20


@dataclass(frozen=True)
class Preview:
    """What a conversion would do, in minor units. `gain` below zero is a loss."""

    side: ConvertedSide
    amount: int
    from_currency: str
    to_amount: int
    to_currency: str
    rate: str
    gain: int

    @property
    def is_possible(self) -> bool:
        """Whether there is something on both sides."""
        return self.amount > 0 and self.to_amount > 0


def balance_to_convert(partner_id: int, currency: str, side: ConvertedSide) -> int:
    """What of the partner's balance can be converted now, in minor units."""
    if side is ConvertedSide.PAYABLE:
        return max(0, free_payables([partner_id], currency)[partner_id])
    return max(0, free_receivables([partner_id], currency)[partner_id])


def preview(partner_id: int, currency: str, side: ConvertedSide, rate: str) -> Preview:
    """What converting the whole balance at this rate would do. Raises SettlementError."""
    into = _replaced_by(currency)
    found = checked_rate(rate)
    amount = balance_to_convert(partner_id, currency, side)
    to_amount = _converted(amount, currency, into, found)
    gain = _gain(side, amount, currency, to_amount, into, found)
    return Preview(side, amount, currency, to_amount, into, f"{found:f}", gain)


def checked_rate(text: str) -> Decimal:
    """A rate as it is typed, like 1.95583. Raises SettlementError."""
    cleaned = text.strip().replace(",", ".")
    try:
        rate = Decimal(cleaned) if len(cleaned) <= MOST_DIGITS else Decimal("NaN")
    except InvalidOperation:
        rate = Decimal("NaN")
    if not cleaned.isascii() or not rate.is_finite() or "e" in cleaned.lower():
        raise SettlementError("Type a rate like 1.95583.")
    if not Decimal("0.000001") <= rate <= Decimal(1_000_000):
        raise SettlementError("The rate must be above zero, and at most a million.")
    return rate


def request_conversion(
    partner_id: int,
    currency: str,
    side: ConvertedSide,
    rate: str,
    rate_source: str,
    *,
    seen: int,
    by_user_id: int,
) -> BalanceConversion:
    """Ask that a balance be converted; another person decides. `seen`: the amount in the new
    currency that the page showed. Raises SettlementError."""
    rate_source = rate_source.strip()
    if not rate_source:
        raise SettlementError("Say where the rate is from.")
    lock_partners([(partner_id, currency)])
    found = preview(partner_id, currency, side, rate)
    if not found.is_possible:
        raise SettlementError("There is nothing to convert.")
    if found.to_amount != seen:
        raise SettlementError("It comes to another amount now. Look at it again.")
    row = BalanceConversion(
        partner_id=partner_id,
        side=side,
        from_currency=currency,
        to_currency=found.to_currency,
        amount=found.amount,
        to_amount=found.to_amount,
        rate=found.rate,
        rate_source=rate_source[:200],
        requested_by_id=by_user_id,
    )
    if _open_one(row) is not None:
        raise SettlementError("A conversion of this balance waits already.")
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        raise SettlementError("A conversion of this balance waits already.") from None
    _fact("conversion.requested", row, by_user_id)
    return row


def decide_conversion(conversion_id: int, *, approve: bool, by_user_id: int) -> BalanceConversion:
    """Approve or refuse a conversion, by somebody else than who asked. Raises SettlementError."""
    row = lock_row(BalanceConversion, BalanceConversion.id == conversion_id)
    if row is None:
        raise SettlementError("There is no such conversion.")
    if row.requested_by_id == by_user_id:
        raise SettlementError("Somebody else has to decide on it.")
    if row.decided_at is not None:
        raise SettlementError("It is decided already.")
    lock_partners([(row.partner_id, row.from_currency), (row.partner_id, row.to_currency)])
    if approve:
        left = balance_to_convert(row.partner_id, row.from_currency, row.side)
        if left < row.amount:
            shown = format_money(left, row.from_currency)
            raise SettlementError(f"The balance is only {shown} now. Refuse it and ask anew.")
        _post(row)
    row.is_approved, row.decided_by_id, row.decided_at = approve, by_user_id, clock.now()
    db.session.flush()
    if approve:
        net_partner(row.partner_id, row.to_currency)
    _fact("conversion.approved" if approve else "conversion.refused", row, by_user_id)
    return row


def gain_of(row: BalanceConversion) -> int:
    """What it would bring now, or brought when it was posted; in the new currency."""
    if row.gain is not None:
        return row.gain
    return _gain(
        row.side, row.amount, row.from_currency, row.to_amount, row.to_currency, Decimal(row.rate)
    )


def rate_text(row: BalanceConversion | Preview) -> str:
    """The rate in words, like 1.95583 BGN for 1 EUR."""
    return f"{row.rate} {row.from_currency} for 1 {row.to_currency}"


def page_of_retired_balances(page: int, per_page: int) -> Page[tuple[int, str, ConvertedSide, int]]:
    """Balances in currencies that were replaced: partner, currency, side, amount."""
    signed = func.abs(func.sum(as_credit()))
    query = (
        select(LedgerAccount.owner, LedgerAccount.currency, LedgerAccount.code, signed)
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(LedgerAccount.code.in_(ACCOUNTS.values()), LedgerAccount.currency.in_(RETIRED))
        .group_by(LedgerAccount.owner, LedgerAccount.currency, LedgerAccount.code)
        .having(func.sum(as_credit()) != 0)
    )
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page = max(1, min(page, -(-total // per_page)))
    rows = db.session.execute(
        query.order_by(LedgerAccount.currency, signed.desc(), LedgerAccount.owner)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    sides = {code: side for side, code in ACCOUNTS.items()}
    items = [(owner, currency, sides[code], int(amount)) for owner, currency, code, amount in rows]
    return Page(items=items, total=total, page=page, per_page=per_page)


def conversion_of(earning: Earning) -> BalanceConversion | None:
    """The conversion that took a released earning along, if its currency was replaced."""
    if earning.currency not in RETIRED or earning.released_at is None:
        return None
    return db.session.scalar(
        select(BalanceConversion)
        .where(
            BalanceConversion.partner_id == earning.partner_id,
            BalanceConversion.from_currency == earning.currency,
            BalanceConversion.side == ConvertedSide.PAYABLE,
            BalanceConversion.is_approved.is_(True),
            BalanceConversion.decided_at >= earning.released_at,
        )
        .order_by(BalanceConversion.id)
        .limit(1)
    )


def _replaced_by(currency: str) -> str:
    into = RETIRED.get(currency)
    if into is None:
        raise SettlementError(f"{currency} is money still; nothing has to be converted.")
    return into


def _converted(amount: int, currency: str, into: str, rate: Decimal) -> int:
    """Minor units of the new currency; halves go up."""
    exact = Decimal(amount).scaleb(decimals(into) - decimals(currency)) / rate
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _gain(
    side: ConvertedSide, amount: int, currency: str, to_amount: int, into: str, rate: Decimal
) -> int:
    """What the money is worth in our books, less what the partner gets for it."""
    sign = 1 if side is ConvertedSide.PAYABLE else -1
    taken, brought = (sign * each for each in _position(currency, into))
    covered = min(amount, taken) if taken > 0 and brought > 0 else 0
    worth = _converted(amount - covered, currency, into, rate)
    if covered:
        share = Decimal(covered) * brought / taken
        worth += int(share.quantize(Decimal(1), ROUND_HALF_UP))
    else:
        # Nothing of it was exchanged yet: what that brings is seen when it is.
        worth = to_amount
    return sign * (worth - to_amount)


def _position(currency: str, into: str) -> tuple[int, int]:
    """What lies in fx_clearing between these two: the debit in the one, the credit in the other.

    Of transactions that exchange this currency, and of what was realized of their orders since.
    """
    exchanging = (
        select(LedgerTransaction.id, LedgerTransaction.order_id)
        .join(LedgerEntry, LedgerEntry.txn_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerAccount.code == FX_CLEARING, LedgerAccount.currency.in_((currency, into)))
        .group_by(LedgerTransaction.id, LedgerTransaction.order_id)
        .having(func.count(LedgerAccount.currency.distinct()) == 2)
        .subquery()
    )
    rows: dict[str, Any] = dict(
        db.session.execute(
            select(LedgerAccount.currency, func.sum(as_credit()))
            .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
            .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.txn_id)
            .where(
                LedgerAccount.code == FX_CLEARING,
                LedgerAccount.currency.in_((currency, into)),
                or_(
                    LedgerTransaction.id.in_(select(exchanging.c.id)),
                    (LedgerTransaction.kind == "fx_result")
                    & exists().where(exchanging.c.order_id == LedgerTransaction.order_id),
                ),
            )
            .group_by(LedgerAccount.currency)
        ).all()
    )
    return -int(rows.get(currency, 0)), int(rows.get(into, 0))


def _post(row: BalanceConversion) -> None:
    gain = gain_of(row)
    sign = 1 if row.side is ConvertedSide.PAYABLE else -1
    code = ACCOUNTS[row.side]
    amount, into = sign * row.amount, sign * row.to_amount
    post(
        KIND,
        source=(KIND, row.id),
        key=f"{KIND}:{row.id}",
        legs=[
            debit(code, amount, row.from_currency, row.partner_id),
            credit(FX_CLEARING, amount, row.from_currency),
            debit(FX_CLEARING, into + gain, row.to_currency),
            credit(code, into, row.to_currency, row.partner_id),
            credit(FX_GAIN_LOSS, gain, row.to_currency),
        ],
        memo=(
            f"{format_money(row.amount, row.from_currency)} to "
            f"{format_money(row.to_amount, row.to_currency)}, {rate_text(row)}"
        ),
    )
    row.gain = gain


def _open_one(row: BalanceConversion) -> int | None:
    return db.session.scalar(
        select(BalanceConversion.id).where(
            BalanceConversion.partner_id == row.partner_id,
            BalanceConversion.from_currency == row.from_currency,
            BalanceConversion.side == row.side,
            BalanceConversion.decided_at.is_(None),
        )
    )


def _fact(kind: str, row: BalanceConversion, by_user_id: int) -> None:
    record_fact(
        kind,
        subject=("balance_conversion", row.id),
        organization_id=row.partner_id,
        actor_user_id=by_user_id,
        data={
            "side": row.side.value,
            "amount": row.amount,
            "currency": row.from_currency,
            "to_amount": row.to_amount,
            "to_currency": row.to_currency,
            "rate": row.rate,
            "rate_source": row.rate_source,
        },
    )
