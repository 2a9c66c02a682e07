"""Which tax a customer pays. Pure, but for the lookup of the rates in force at the end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from billing.models.subscription import TaxRate
from billing.money import BPS, charge_step
from marketplace.core.database import db


@dataclass(frozen=True)
class TaxDecision:
    """A rate in basis points of the net price, and why it is so (a sentence for the invoice)."""

    bps: int = 0
    name: str = "Tax"
    rate_id: int | None = None
    country: str | None = None
    has_reverse_charge: bool = False
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """What an order keeps of it."""
        return {
            "bps": self.bps,
            "name": self.name,
            "rate_id": self.rate_id,
            "country": self.country,
            "reverse_charge": self.has_reverse_charge,
            "reason": self.reason,
        }


def tax_of(net: int, bps: int, currency: str) -> int:
    """The tax on `net` (minor units, >= 0) in steps that can be charged, halves rounded up: a
    fraction of a króna, or the last digit of three decimals, would be refused at Stripe
    (https://docs.stripe.com/currencies#special-cases)."""
    step = charge_step(currency)
    return (net * bps + BPS * step // 2) // (BPS * step) * step


def decide_tax(
    country: str | None, tax_id: str, seller_country: str | None, rates: Iterable[TaxRate]
) -> TaxDecision:
    """The tax of a customer in `country`. `rates` are those in force, one a country.

    Reverse charge (EU directive 2006/112/EC, article 196): a business with a tax id in another
    country than the seller's pays no tax to us where the rate says so.
    """
    if not country:
        return TaxDecision(reason="No country is known, so no tax is charged.")
    rate = next((each for each in rates if each.country == country), None)
    if rate is None:
        return TaxDecision(country=country, reason="No tax is due in your country.")
    if rate.has_reverse_charge and tax_id.strip() and country != seller_country:
        return TaxDecision(
            name=rate.name,
            rate_id=rate.id,
            country=country,
            has_reverse_charge=True,
            reason="Reverse charge: the customer owes the tax to its own authority.",
        )
    return TaxDecision(bps=rate.bps, name=rate.name, rate_id=rate.id, country=country)


def rates_in_force(country: str | None, at: datetime) -> Sequence[TaxRate]:
    """The newest rate of a country whose day has come: one or none."""
    if not country:
        return ()
    return db.session.scalars(
        select(TaxRate)
        .where(TaxRate.country == country, TaxRate.effective_from <= at)
        .order_by(TaxRate.effective_from.desc(), TaxRate.id.desc())
        .limit(1)
    ).all()
