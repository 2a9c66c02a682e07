"""What a run knows of money that is missing at Stripe, by currency.

A payout that Stripe refuses for want of money waits, and with it what needs at least as much in
that currency; everything else is paid. Each pass over the run begins without knowing anything.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, not_

from billing.gateway import StripeError, gateway
from billing.models import Payout, PayoutRun, PayoutState
from marketplace.core import clock
from marketplace.core.database import db

# In PayoutRun.short: {"EUR": {"from": 5000, "is_kept": true}}
Short = Mapping[str, Mapping[str, Any]]


def keeps_balance(currency: str) -> bool:
    """Whether the platform has a balance in this currency at Stripe at all.

    Where it has none, what is paid in the currency is converted as it arrives, and waiting brings
    nothing. True when Stripe does not say. Asks Stripe: call it with no transaction open.
    """
    try:
        found = gateway().retrieve("balance")
    except StripeError:
        return True
    rows = [*(found.get("available") or []), *(found.get("pending") or [])]
    return any(str(each.get("currency", "")).upper() == currency for each in rows)


def note_shortage(run: PayoutRun, payout: Payout, *, is_kept: bool) -> None:
    """Keep that there was not enough for this payout. Hold the run's lock. Flushes."""
    known = (run.short.get(payout.currency) or {}).get("from", payout.amount)
    least = {"from": min(int(known), payout.amount), "is_kept": is_kept}
    run.short = {**run.short, payout.currency: least}
    say(run)


def say(run: PayoutRun) -> None:
    """Say in words what the run waits for; nothing when it waits for nothing. Flushes."""
    reason = " ".join(_in_words(currency, of) for currency, of in sorted(run.short.items()))[:300]
    if reason != run.stalled_reason:
        run.stalled_reason = reason
        run.stalled_at = clock.now() if reason else None
    db.session.flush()


def forget(run: PayoutRun, currencies: set[str]) -> None:
    """Keep what is known of these currencies alone, and say it."""
    run.short = {each: of for each, of in run.short.items() if each in currencies}
    say(run)


def is_affordable(short: Short) -> ColumnElement[bool]:
    """Of payouts: not one of those that wait for money."""
    return and_(
        True,
        *(
            not_(
                and_(
                    Payout.state == PayoutState.RESERVED,
                    Payout.currency == currency,
                    Payout.amount >= int(of["from"]),
                )
            )
            for currency, of in sorted(short.items())
        ),
    )


def _in_words(currency: str, of: Mapping[str, Any]) -> str:
    if of.get("is_kept", True):
        return f"The balance at Stripe does not suffice in {currency}."
    return (
        f"Stripe keeps no balance in {currency} for us: what is paid in {currency} is converted."
        f" Add funds in {currency}, or a bank account for it in Stripe's settings; what is paid"
        " from then on is kept."
    )
