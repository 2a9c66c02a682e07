"""A reseller's quotes: drafted, sent, accepted or declined by the customer, paid."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from billing.models.order import Order, OrderState
from billing.models.plan import PlanState
from billing.models.resale import AgreementState, QuoteState, ResaleQuote, ResellerAgreement
from billing.money import MAX_AMOUNT
from billing.public_ids import new_public_id
from billing.resale.customers import in_the_way
from billing.resale.pricing import wrong_with_price
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row

MAX_MESSAGE = 2_000
MAX_QUANTITY = 10_000
LONGEST_VALIDITY = timedelta(days=180)


@dataclass(frozen=True)
class QuoteTerms:
    """What is quoted: `unit_amount` in minor units of the agreement's currency, without tax."""

    unit_amount: int
    quantity: int
    expires_at: datetime
    message: str = ""


def draft_quote(
    agreement: ResellerAgreement, customer_id: int, terms: QuoteTerms, *, by_user_id: int | None
) -> ResaleQuote:
    """Draft a quote for one customer. Raises InvalidError, ConflictError."""
    _check(agreement, terms)
    if customer_id in (agreement.reseller_id, agreement.publisher_id):
        raise InvalidError({"customer": "Quote to another organization than your own."})
    quote = ResaleQuote(
        public_id=new_public_id("quo"),
        agreement_id=agreement.id,
        reseller_id=agreement.reseller_id,
        customer_id=customer_id,
        quantity=terms.quantity,
        currency=agreement.currency,
        unit_amount=terms.unit_amount,
        message=terms.message.strip(),
        expires_at=terms.expires_at,
        created_by_id=by_user_id,
    )
    db.session.add(quote)
    db.session.flush()
    _fact("resale_quote.drafted", quote, quote.reseller_id, by_user_id)
    return quote


def edit_quote(quote: ResaleQuote, terms: QuoteTerms, *, by_user_id: int | None) -> None:
    """Change a draft. Raises InvalidError, ConflictError once it was sent."""
    _lock(quote)
    if quote.state is not QuoteState.DRAFT:
        raise ConflictError("It was sent already. Withdraw it and write a new one.")
    _check(quote.agreement, terms)
    quote.unit_amount = terms.unit_amount
    quote.quantity = terms.quantity
    quote.expires_at = terms.expires_at
    quote.message = terms.message.strip()
    db.session.flush()
    _fact("resale_quote.changed", quote, quote.reseller_id, by_user_id)


def send_quote(quote: ResaleQuote, *, by_user_id: int | None) -> bool:
    """Let the customer see it. False when it was sent before.

    Raises InvalidError, ConflictError.
    """
    _lock(quote)
    if quote.state is QuoteState.SENT:
        return False
    if quote.state is not QuoteState.DRAFT:
        raise ConflictError("This quote is closed.")
    _check(
        quote.agreement,
        QuoteTerms(quote.unit_amount, quote.quantity, quote.expires_at, quote.message),
    )
    quote.state = QuoteState.SENT
    quote.sent_at = clock.now()
    db.session.flush()
    _fact("resale_quote.sent", quote, quote.reseller_id, by_user_id)
    return True


def withdraw_quote(quote: ResaleQuote, *, by_user_id: int | None) -> bool:
    """Take it back. False when it is closed already. Raises ConflictError once it is accepted."""
    _lock(quote)
    if quote.state in (QuoteState.ACCEPTED, QuoteState.PAID):
        raise ConflictError("The customer has accepted it.")
    if quote.state not in (QuoteState.DRAFT, QuoteState.SENT):
        return False
    quote.state = QuoteState.WITHDRAWN
    quote.decided_at = clock.now()
    db.session.flush()
    _fact("resale_quote.withdrawn", quote, quote.reseller_id, by_user_id)
    return True


def accept_quote(quote: ResaleQuote, *, by_user_id: int | None) -> bool:
    """The customer accepts, and pays next. False when it was accepted before and is not yet paid.

    Raises ConflictError for one that is closed, has expired, or may not be sold any more, and
    where the customer has what it is about already.
    """
    _lock(quote)
    if quote.state is QuoteState.ACCEPTED:
        return False
    _refuse_closed(quote)
    if reason := in_the_way(quote.agreement.plan, quote.customer_id):
        raise ConflictError(reason)
    quote.state = QuoteState.ACCEPTED
    quote.decided_at = clock.now()
    quote.decided_by_id = by_user_id
    db.session.flush()
    _fact("resale_quote.accepted", quote, quote.customer_id, by_user_id)
    return True


def decline_quote(quote: ResaleQuote, *, by_user_id: int | None) -> bool:
    """The customer does not want it. False when declined before. Raises ConflictError."""
    _lock(quote)
    if quote.state is QuoteState.DECLINED:
        return False
    if quote.state not in (QuoteState.SENT, QuoteState.ACCEPTED):
        raise ConflictError("This quote is closed.")
    if _paying(quote.id):
        raise ConflictError("Its payment is under way.")
    quote.state = QuoteState.DECLINED
    quote.decided_at = clock.now()
    quote.decided_by_id = by_user_id
    db.session.flush()
    _fact("resale_quote.declined", quote, quote.customer_id, by_user_id)
    return True


def note_paid(order: Order) -> bool:
    """Mark the quote of an order that was paid; False without a quote, or when it is marked."""
    if order.resale_quote_id is None:
        return False
    quote = lock_row(ResaleQuote, ResaleQuote.id == order.resale_quote_id)
    if quote is None or quote.state is QuoteState.PAID:
        return False
    quote.state = QuoteState.PAID
    db.session.flush()
    _fact("resale_quote.paid", quote, quote.customer_id, None)
    return True


def expire_quotes() -> int:
    """Close what was sent and whose day has passed; how many. Accepted ones wait to be paid."""
    done = db.session.execute(
        update(ResaleQuote)
        .where(ResaleQuote.state == QuoteState.SENT, ResaleQuote.expires_at <= clock.now())
        .values(state=QuoteState.EXPIRED, decided_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return int(getattr(done, "rowcount", 0))


def _check(agreement: ResellerAgreement, terms: QuoteTerms) -> None:
    if agreement.state is not AgreementState.ACTIVE:
        raise ConflictError("The agreement with the publisher is not in force.")
    if agreement.plan.state is not PlanState.ACTIVE:
        raise ConflictError("The publisher does not sell this plan any more.")
    wrong: dict[str, str] = {}
    price = wrong_with_price(
        terms.unit_amount,
        agreement.floor_amount,
        agreement.maximum_markup_bps,
        agreement.currency,
    )
    if price:
        wrong["unit_amount"] = price
    if not 1 <= terms.quantity <= MAX_QUANTITY:
        wrong["quantity"] = f"From 1 to {MAX_QUANTITY:,}."
    elif terms.quantity > 1 and not agreement.plan.is_per_seat:
        wrong["quantity"] = "This plan is not sold by the seat."
    elif not price and terms.unit_amount * terms.quantity > MAX_AMOUNT:
        wrong["quantity"] = "More than can be charged at once. Quote fewer."
    now = clock.now()
    if terms.expires_at <= now:
        wrong["valid_until"] = "A day that is to come."
    elif terms.expires_at > now + LONGEST_VALIDITY:
        wrong["valid_until"] = f"At most {LONGEST_VALIDITY.days} days from today."
    if len(terms.message) > MAX_MESSAGE:
        wrong["message"] = f"At most {MAX_MESSAGE:,} characters."
    if wrong:
        raise InvalidError(wrong)


def _refuse_closed(quote: ResaleQuote) -> None:
    if quote.state is not QuoteState.SENT:
        raise ConflictError("This quote is closed.")
    if quote.expires_at <= clock.now():
        raise ConflictError("This quote has expired. Ask the reseller for a new one.")
    if quote.agreement.state is not AgreementState.ACTIVE:
        raise ConflictError("The reseller may not sell this any more. Ask for a new quote.")


def _paying(quote_id: int) -> bool:
    return (
        db.session.scalar(
            select(Order.id).where(
                Order.resale_quote_id == quote_id,
                Order.state.in_([OrderState.PENDING, OrderState.PAID]),
            )
        )
        is not None
    )


def _lock(quote: ResaleQuote) -> None:
    """The agreement first: who ends it locks it, and then withdraws its quotes."""
    lock_row(ResellerAgreement, ResellerAgreement.id == quote.agreement_id)
    lock_row(ResaleQuote, ResaleQuote.id == quote.id)


def _fact(kind: str, quote: ResaleQuote, organization_id: int, by_user_id: int | None) -> None:
    record_fact(
        kind,
        subject=("resale_quote", quote.id),
        organization_id=organization_id,
        actor_user_id=by_user_id,
        data={
            "unit_amount": quote.unit_amount,
            "quantity": quote.quantity,
            "currency": quote.currency,
        },
    )
