"""Jobs and events of settlement. Importing this module registers them."""

import hashlib
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from billing.events import DeferEvent, on_event
from billing.gateway import (
    StripeBusyError,
    StripeRejectedError,
    StripeUnknownError,
    gateway,
    retry_later,
)
from billing.models.order import Order
from billing.models.payout import Payout, TransferReversal
from billing.models.refund import Dispute, Refund, RefundState
from billing.models.stripe import StripeEvent
from billing.operations import perform
from billing.settlement import release as _release  # noqa: F401 - its periodic job
from billing.settlement.balances import ARRIVED, INTENDED, ON_THE_WAY
from billing.settlement.charges import record_charge
from billing.settlement.disputes import settle_dispute
from billing.settlement.evidence import SUBMIT
from billing.settlement.payments import order_of_payment
from billing.settlement.refunds import SEND, fail_refund, settle_refund
from billing.settlement.reversals import GIVEN_BACK, REVERSE, settle_reversal
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.jobs import Payload, RetryLater, job_handler
from marketplace.core.unit_of_work import unit_of_work

JsonDict = dict[str, Any]
# How often we look whether a payout has become a transfer; whoever made it one tells as well.
LOOK_AGAIN = timedelta(hours=1)
REFUND_EXPANDED = ("balance_transaction", "failure_balance_transaction")


@job_handler(SEND)
def send_refund(payload: Payload) -> None:
    """Have Stripe make a refund that was decided here."""
    refund = db.session.get(Refund, payload["refund_id"])
    if refund is None or refund.state is not RefundState.INTENDED:
        return
    order = db.session.get_one(Order, refund.order_id)
    refund_id = refund.id
    params = {
        "amount": refund.amount,
        "metadata": {"refund_id": refund.public_id, "order_id": order.public_id},
    }
    public_id = refund.public_id
    # Known since the order was paid, while its charge may come later: a request that is sent
    # again is the same to the letter.
    payment: JsonDict = {"charge": order.charge_id}
    if order.payment_intent_id:
        payment = {"payment_intent": order.payment_intent_id}
    db.session.rollback()

    def find() -> JsonDict | None:
        return _ours(gateway().pages("refunds", **payment), "refund_id", public_id)

    try:
        made = perform(f"refund:{refund_id}", "refunds.create", params | payment, find=find)
    except StripeRejectedError as error:
        with unit_of_work():
            fail_refund(refund_id, error.message)
        return
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error
    try:
        # As it is now, whenever it was made.
        found = gateway().retrieve("refunds", str(made["id"]), expand=REFUND_EXPANDED)
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error
    with unit_of_work():
        settle_refund(found)


@job_handler(REVERSE)
def reverse_transfer(payload: Payload) -> None:
    """Ask Stripe for a part of a transfer, as soon as it is there; what it refuses stays owed."""
    row = db.session.get(TransferReversal, payload["reversal_id"])
    if row is None or row.state != INTENDED:
        return
    payout = db.session.get_one(Payout, row.payout_id)
    if payout.state in ON_THE_WAY:
        raise RetryLater(LOOK_AGAIN, f"payout {payout.public_id} is {payout.state.value}")
    if payout.state not in ARRIVED:
        settle_reversal(row.id, None, GIVEN_BACK)
        return
    params = {
        "id": payout.transfer_id,
        "amount": row.amount,
        "metadata": {"reversal_id": str(row.id), "payout_id": payout.public_id},
    }
    row_id, transfer_id = row.id, payout.transfer_id
    db.session.rollback()

    def find() -> JsonDict | None:
        made = gateway().pages("transfers.reversals", parent=transfer_id)
        return _ours(made, "reversal_id", str(row_id))

    try:
        done = perform(
            f"transfer_reversal:{row_id}", "transfers.reversals.create", params, find=find
        )
    except StripeRejectedError as error:
        with unit_of_work():
            settle_reversal(row_id, None, error.message)
        return
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error
    with unit_of_work():
        settle_reversal(row_id, str(done["id"]))


@job_handler(SUBMIT)
def send_evidence(payload: Payload) -> None:
    """Send it to Stripe. When Stripe refuses, it can be written again."""
    dispute = db.session.get(Dispute, payload["dispute_id"])
    if dispute is None or dispute.evidence_sent_at is not None or not dispute.evidence:
        return
    dispute_id, evidence = dispute.id, dict(dispute.evidence)
    params: dict[str, Any] = {"id": dispute.stripe_id, "evidence": evidence, "submit": True}
    told = json.dumps(evidence, sort_keys=True).encode()
    key = f"dispute:{dispute_id}:evidence:{hashlib.sha256(told).hexdigest()[:16]}"
    stripe_id = dispute.stripe_id
    db.session.rollback()

    def find() -> JsonDict | None:
        found = gateway().retrieve("disputes", stripe_id)
        details = found.get("evidence_details") or {}
        return found if details.get("submission_count") else None

    try:
        perform(key, "disputes.update", params, find=find)
    except StripeRejectedError as error:
        with unit_of_work():
            db.session.get_one(Dispute, dispute_id).evidence = {}
            record_fact(
                "dispute.evidence_refused",
                subject=("dispute", dispute_id),
                data={"reason": error.message[:300]},
            )
        return
    except (StripeUnknownError, StripeBusyError) as error:
        raise retry_later(error) from error
    with unit_of_work():
        db.session.get_one(Dispute, dispute_id).evidence_sent_at = clock.now()


def _ours(found: Iterable[JsonDict], name: str, value: str) -> JsonDict | None:
    """The one that carries our mark, of what Stripe lists."""
    for each in found:
        if (each.get("metadata") or {}).get(name) == value:
            return each
    return None


@on_event("refund.created", "refund.updated", "refund.failed")
def refund_changed(event: StripeEvent) -> None:
    """Bring a refund to where Stripe has it."""
    found = gateway().retrieve("refunds", event.object_id, expand=REFUND_EXPANDED)
    if settle_refund(found) is None:
        raise DeferEvent(f"refund {event.object_id} is of an order that is not paid here yet")


@on_event("charge.refunded")
def charge_refunded(event: StripeEvent) -> None:
    """Take over every refund of a charge, also those made in Stripe's dashboard."""
    found = list(
        gateway().pages(
            "refunds", charge=event.object_id, expand=[f"data.{each}" for each in REFUND_EXPANDED]
        )
    )
    # Oldest first, so that they are numbered as they were made.
    for each in sorted(found, key=lambda one: (int(one["created"]), str(one["id"]))):
        if settle_refund(each) is None:
            raise DeferEvent(f"charge {event.object_id} paid no order that is paid here yet")


@on_event(
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
def dispute_changed(event: StripeEvent) -> None:
    """Bring a dispute to where Stripe has it."""
    if settle_dispute(gateway().retrieve("disputes", event.object_id)) is None:
        raise DeferEvent(f"dispute {event.object_id} is of an order that is not paid here yet")


@on_event("charge.updated", "charge.succeeded")
def charge_changed(event: StripeEvent) -> None:
    """Post the fee of a charge once Stripe knows it."""
    found = gateway().retrieve("charges", event.object_id, expand=("balance_transaction",))
    order_id = order_of_payment(found.get("id"), found.get("payment_intent"))
    # Whoever sets an order paid has its charge recorded as well: nothing to wait for here.
    if order_id is not None:
        record_charge(order_id, found)
