"""What is bought, before it is frozen into an order."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billing.models import Plan, Price, ResellerAgreement


@dataclass(frozen=True)
class Buyer:
    """Who buys: an organization, its person, and what stands on the invoice."""

    organization_id: int
    user_id: int | None = None
    billing_details: dict[str, Any] = field(default_factory=dict)
    country: str | None = None
    tax_id: str = ""


@dataclass(frozen=True)
class LineTerms:
    """One line before it is divided. Amounts in minor units of the order's currency, without tax;
    `tax_amount` None: `tax_bps` of the net. `discounts` is what the order keeps of each."""

    description: str
    list_amount: int
    unit_amount: int
    quantity: int = 1
    plan: Plan | None = None
    price: Price | None = None
    listing_id: int | None = None
    publisher_id: int | None = None
    discounts: tuple[dict[str, Any], ...] = ()
    discount_amount: int = 0
    discount_platform_amount: int = 0
    tax_bps: int = 0
    tax_amount: int | None = None
    agreement: ResellerAgreement | None = None
    code_affiliate_id: int | None = None
    code_id: int | None = None
    # The first payment of a subscription is 1; so is what is bought once.
    payment_number: int = 1


@dataclass(frozen=True)
class Payment:
    """How an order was paid, as Stripe tells it. Ids may be empty where nothing was to pay.

    `subtotal`, `discount`, `tax`: what was really charged (minor units), where Stripe computed it.
    """

    paid_at: datetime
    payment_intent_id: str | None = None
    charge_id: str | None = None
    invoice_id: str | None = None
    card_fingerprint: str | None = None
    card_brand: str = ""
    card_last4: str = ""
    subtotal: int | None = None
    discount: int | None = None
    tax: int | None = None
