"""What a customer does about a payment that failed: pay what is open, give another card.

Both happen on pages of Stripe's. A subscription that began in Checkout has its card itself, which
counts before the customer's: so another one is asked for by Checkout in setup mode, and then made
the subscription's. https://docs.stripe.com/payments/checkout/subscriptions/update-payment-details
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from billing.gateway import (
    StripeBusyError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
    retry_later,
)
from billing.models import Subscription
from billing.models.stripe import StripeOperation
from billing.operations import UNANSWERED, OperationConflictError, perform
from billing.stripe_objects import id_of
from billing.subscriptions.changing import NOT_TOLD, OLD_PAGE
from billing.subscriptions.states import LIVE
from billing.subscriptions.syncing import sync_subscription
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.core.locks import lock_row
from marketplace.core.unit_of_work import unit_of_work

TAKE_OVER_CARD = "billing.take_over_card"
ENDED = "This subscription has ended."
# Of a session's metadata: whose card it asks for.
SUBSCRIPTION = "subscription"


@dataclass(frozen=True)
class _Asked:
    """The subscription as Stripe has it this moment."""

    public_id: str
    currency: str
    found: Mapping[str, Any]


def open_payment(subscription_id: int) -> str | None:
    """The address of Stripe's page on which the open payment is made; None when none is open.

    Call it without an open transaction. Raises NotFoundError, ConflictError (it has ended, or
    Stripe has not told us of it yet), and the gateway's errors.
    """
    invoice = _ask(subscription_id).found.get("latest_invoice")
    if not isinstance(invoice, Mapping) or invoice.get("status") != "open":
        return None
    return str(invoice.get("hosted_invoice_url") or "") or None


def open_card_page(subscription_id: int, *, token: str, done_url: str, back_url: str) -> str:
    """The address of Stripe's page on which another card is given. `token` names the attempt, so
    that a second click leads to the same page.

    Call it without an open transaction. Raises NotFoundError, ConflictError (with the code
    OLD_PAGE where the attempt is over), and the gateway's errors.
    """
    asked = _ask(subscription_id)
    metadata = {SUBSCRIPTION: asked.public_id}
    params = {
        "mode": "setup",
        "customer": id_of(asked.found.get("customer")),
        "currency": asked.currency,
        "setup_intent_data": {"metadata": metadata},
        "metadata": metadata,
        "success_url": done_url,
        "cancel_url": back_url,
    }
    key = f"subscription:{subscription_id}:card:{token}"
    try:
        session = perform(key, "checkout.sessions.create", params)
    except OperationConflictError as error:
        raise _old_page() from error
    if not session.get("url"):
        raise _old_page()
    return str(session["url"])


def note_card(session: Mapping[str, Any]) -> None:
    """A page was filled in on which another card is given: take it over, in a job of its own."""
    if session.get("status") == "complete" and (session.get("metadata") or {}).get(SUBSCRIPTION):
        session_id = str(session["id"])
        enqueue(
            TAKE_OVER_CARD,
            {"session_id": session_id},
            dedupe_key=f"{TAKE_OVER_CARD}:{session_id}",
        )


@job_handler(TAKE_OVER_CARD)
def take_over_card(payload: Payload) -> None:
    """Make the card that was given the subscription's, and pay by it what is open."""
    session_id = str(payload["session_id"])
    db.session.rollback()
    try:
        session = gateway().retrieve("checkout.sessions", session_id, expand=["setup_intent"])
        intent = session.get("setup_intent")
        method = id_of(intent.get("payment_method")) if isinstance(intent, Mapping) else None
        known = _known(str((session.get("metadata") or {}).get(SUBSCRIPTION)))
        if method is not None and known is not None:
            _charge_from_now_on(*known, session_id, method)
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error


def _charge_from_now_on(subscription_id: int, stripe_id: str, session_id: str, method: str) -> None:
    try:
        found = perform(
            f"card:{session_id}",
            "subscriptions.update",
            {"id": stripe_id, "default_payment_method": method},
        )
    except StripeRejectedError:
        # It has ended meanwhile: there is nothing to charge.
        return
    with unit_of_work():
        subscription = lock_row(Subscription, Subscription.id == subscription_id)
        if subscription is None:
            return
        sync_subscription(subscription, found)
        record_fact(
            "subscription.card_changed",
            subject=("subscription", subscription.id),
            organization_id=subscription.organization_id,
            idempotency_key=f"subscription.card_changed:{session_id}"[:120],
        )
    key = f"card:{session_id}:pay"
    invoice_id = id_of(found.get("latest_invoice"))
    wanted = _asked_before(key)
    if wanted is None and found.get("status") == "past_due" and invoice_id is not None:
        wanted = {"id": invoice_id, "payment_method": method}
    if wanted is None:
        return
    try:
        perform(key, "invoices.pay", wanted)
    except StripeRejectedError:
        # Refused, or paid already. Its events tell which.
        return


def _asked_before(key: str) -> dict[str, Any] | None:
    """What was asked under this key and not answered, to the letter: it is asked once more, also
    where it is paid by now, so that it is known what became of it."""
    with unit_of_work():
        row = db.session.scalar(
            select(StripeOperation).where(
                StripeOperation.idem_key == key, StripeOperation.state.in_(UNANSWERED)
            )
        )
        return dict(row.request) if row is not None else None


def _known(public_id: str) -> tuple[int, str] | None:
    with unit_of_work():
        row = db.session.execute(
            select(Subscription.id, Subscription.stripe_id).where(
                Subscription.public_id == public_id, Subscription.stripe_id.is_not(None)
            )
        ).one_or_none()
    return (row[0], str(row[1])) if row is not None else None


def _ask(subscription_id: int) -> _Asked:
    with unit_of_work():
        subscription = db.session.get(Subscription, subscription_id)
        if subscription is None:
            raise NotFoundError
        stripe_id, public_id = subscription.stripe_id, subscription.public_id
        currency, is_live = subscription.currency, subscription.state in LIVE
    if not is_live:
        raise ConflictError(ENDED)
    if stripe_id is None:
        raise ConflictError(NOT_TOLD)
    found = gateway().retrieve("subscriptions", stripe_id, expand=["latest_invoice"])
    with unit_of_work():
        current = lock_row(Subscription, Subscription.id == subscription_id)
        if current is not None:
            sync_subscription(current, found)
        if current is None or current.state not in LIVE:
            raise ConflictError(ENDED)
    return _Asked(public_id, currency, found)


def _old_page() -> ConflictError:
    return ConflictError("This page is old. Begin again.", code=OLD_PAGE)
