"""The test cards, as in Stripe's test mode. A number is looked at once and never kept."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.store import Store, Thing
from marketplace.core import clock


@dataclass(frozen=True)
class TestCard:
    """What a card does. `decline` and `decline_later` (on renewals) are Stripe's decline codes."""

    __test__ = False  # pytest looks for tests by this name

    title: str
    brand: str = "visa"
    country: str = "US"
    decline: str = ""
    decline_later: str = ""
    dispute: str = ""
    is_instant: bool = False
    refund_fails: bool = False


CARDS = {
    "4242424242424242": TestCard("Succeeds"),
    "5555555555554444": TestCard("Succeeds (Mastercard)", brand="mastercard"),
    "4000002760000016": TestCard("Succeeds (Germany)", country="DE"),
    "4000000000000077": TestCard("Succeeds, available at once", is_instant=True),
    "4000000000000002": TestCard("Is declined", decline="generic_decline"),
    "4000000000009995": TestCard("Is declined: no funds", decline="insufficient_funds"),
    "4000000000000069": TestCard("Is declined: expired", decline="expired_card"),
    "4000000000000341": TestCard("Succeeds once, declined on renewal",
                                 decline_later="generic_decline"),
    "4000000000000259": TestCard("Succeeds, disputed as fraud", dispute="fraudulent"),
    "4000000000002685": TestCard("Succeeds, disputed as not received",
                                 dispute="product_not_received"),
    "4000000000005126": TestCard("Succeeds, refunds of it fail", refund_fails=True),
}  # fmt: skip


class DeclinedError(ApiError):
    """The bank says no."""

    def __init__(self, decline: str) -> None:
        expired = decline == "expired_card"
        super().__init__(
            402,
            "Your card has expired." if expired else "Your card was declined.",
            code="expired_card" if expired else "card_declined",
            kind="card_error",
            more={"decline_code": decline},
        )
        self.decline = decline


def card_of(number: str) -> TestCard:
    """What that number does. Raises ApiError for a number that is none of the test cards."""
    card = CARDS.get("".join(number.split()))
    if card is None:
        raise ApiError(
            402,
            "Your card number is not a test card.",
            code="incorrect_number",
            kind="card_error",
        )
    return card


def new_method(store: Store, number: str, customer: str | None, email: str | None) -> Thing:
    """A payment method of a test card. Keeps last four digits and a fingerprint, no number."""
    digits = "".join(number.split())
    card = card_of(digits)
    return store.add(
        "payment_method",
        "pm",
        {
            "type": "card",
            "customer": customer,
            "metadata": {},
            "billing_details": {"email": email, "name": None, "phone": None, "address": None},
            "card": {
                "brand": card.brand,
                "country": card.country,
                "exp_month": 12,
                "exp_year": (clock.now() + timedelta(days=730)).year,
                "fingerprint": hashlib.sha256(digits.encode()).hexdigest()[:16],
                "funding": "credit",
                "last4": digits[-4:],
            },
            "_decline": card.decline,
            "_decline_later": card.decline_later,
            "_dispute": card.dispute,
            "_is_instant": card.is_instant,
            "_refund_fails": card.refund_fails,
        },
    )
