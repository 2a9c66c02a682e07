"""What a test, or somebody at the demo, may do that Stripe's API has no call for.

JSON in, JSON out, below /_sandbox/.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from billing.sandbox_stripe import (
    accounts,
    balance,
    cards,
    disputes,
    events,
    faults,
    payments,
    payouts,
    transfers,
)
from billing.sandbox_stripe.endpoints import Shown
from billing.sandbox_stripe.errors import ApiError
from billing.sandbox_stripe.store import Store
from billing.sandbox_stripe.tick import tick
from marketplace.core import clock

control = Blueprint("control", __name__, url_prefix="/_sandbox")


def _store() -> Store:
    found: Store = current_app.extensions["sandbox_store"]
    return found


@control.errorhandler(ApiError)
def _refused(error: ApiError) -> ResponseReturnValue:
    return jsonify({"error": error.body}), error.status


def _given() -> dict[str, Any]:
    """The request's JSON. A form of another site cannot send it."""
    found = request.get_json()
    if not isinstance(found, dict):
        raise ApiError(400, "Send a JSON object.")
    return found


def _do(act: Callable[[Store], Any]) -> ResponseReturnValue:
    store = _store()
    with store.transaction():
        return jsonify(Shown(store).of(act(store)))


@control.get("/clock")
def read_clock() -> ResponseReturnValue:
    """The time of this process."""
    return jsonify({"now": clock.now().isoformat()})


@control.post("/clock")
def move_clock() -> ResponseReturnValue:
    """{"seconds": n}: let that much time pass, and all that comes with it."""
    clock.shift(timedelta(seconds=float(_given()["seconds"])))
    return jsonify({"now": clock.now().isoformat(), "happened": tick(_store())})


@control.post("/faults")
def add_fault() -> ResponseReturnValue:
    """Order a fault (see faults.py)."""
    given = _given()
    store = _store()
    with store.transaction():
        faults.add_fault(store, **given)
        return jsonify(faults.list_faults(store))


@control.delete("/faults")
def clear_faults() -> ResponseReturnValue:
    """Nothing goes wrong any more."""
    store = _store()
    with store.transaction():
        faults.clear_faults(store)
    return jsonify([])


@control.post("/settings/<name>")
def change_setting(name: str) -> ResponseReturnValue:
    """{"value": …} of `endpoints`, `schedule`, `settlement` or `webhook_fault`."""
    if name not in {"endpoints", "schedule", "settlement", "webhook_fault"}:
        raise ApiError(404, f"No such setting: {name}")
    value = _given()["value"]
    store = _store()
    with store.transaction():
        store.set(name, value)
    return jsonify({name: value})


@control.post("/webhooks/deliver")
def deliver() -> ResponseReturnValue:
    """Send what waits, now."""
    return jsonify({"delivered": events.deliver_due(_store())})


@control.post("/accounts/<account_id>/<any(onboard, restrict, deauthorize):verb>")
def change_account(account_id: str, verb: str) -> ResponseReturnValue:
    """What happens to a connected account outside of our site."""
    act = {
        "onboard": accounts.finish_onboarding,
        "restrict": accounts.restrict,
        "deauthorize": accounts.deauthorize,
    }[verb]
    return _do(lambda store: act(store, accounts.get_account(store, account_id)))


@control.post("/disputes")
def dispute() -> ResponseReturnValue:
    """{"charge": …, "amount"?: …, "reason"?: …}"""
    given = _given()
    return _do(
        lambda store: disputes.open_dispute(
            store,
            store.get("charge", given["charge"], "charge"),
            amount=given.get("amount"),
            reason=given.get("reason", "fraudulent"),
        )
    )


@control.post("/disputes/<dispute_id>/<any(win, lose):verb>")
def decide(dispute_id: str, verb: str) -> ResponseReturnValue:
    """The bank's decision."""
    return _do(
        lambda store: disputes.decide(store, store.get("dispute", dispute_id), won=verb == "win")
    )


@control.post("/refunds")
def refund() -> ResponseReturnValue:
    """{"charge": …, "amount"?: …}: a refund in Stripe's own dashboard."""
    given = _given()
    return _do(
        lambda store: payments.refund_charge(
            store, store.get("charge", given["charge"], "charge"), given.get("amount")
        )
    )


@control.post("/refunds/<refund_id>/fail")
def fail_refund(refund_id: str) -> ResponseReturnValue:
    """The bank sends the refund back."""

    def act(store: Store) -> Any:
        payments.fail_refund(store, store.get("refund", refund_id))
        return store.get("refund", refund_id)

    return _do(act)


@control.post("/transfers/<transfer_id>/reverse")
def reverse(transfer_id: str) -> ResponseReturnValue:
    """{"amount"?: …}: a reversal in Stripe's own dashboard."""
    amount = _given().get("amount")
    return _do(
        lambda store: transfers.reverse_transfer(store, store.get("transfer", transfer_id), amount)
    )


@control.post("/payouts/run")
def run_payouts() -> ResponseReturnValue:
    """{"account"?: …}: today's automatic payouts, now."""
    account = str(_given().get("account", ""))
    return _do(lambda store: payouts.pay_out_automatically(store, account))


@control.post("/payouts/<payout_id>/<any(arrive, fail, return):verb>")
def change_payout(payout_id: str, verb: str) -> ResponseReturnValue:
    """{"code"?: …}: it arrives, it fails, or the bank returns it after it arrived."""
    code = str(_given().get("code", "no_account" if verb == "return" else "account_closed"))

    def act(store: Store) -> Any:
        payout = store.get("payout", payout_id)
        if verb == "arrive":
            return payouts.arrive(store, payout)
        if verb == "return":
            payout = payouts.arrive(store, payout)
        return payouts.fail(store, payout, code)

    return _do(act)


@control.post("/balance")
def change_balance() -> ResponseReturnValue:
    """{"amount", "currency", "type"?, "fee"?, "account"?}: any movement, like a top-up or a fee."""
    given = _given()
    return _do(
        lambda store: balance.book(
            store,
            str(given.get("type", "topup")),
            int(given["amount"]),
            str(given["currency"]).lower(),
            given.get("source"),
            fee=int(given.get("fee", 0)),
            account=str(given.get("account", "")),
            description=given.get("description"),
        )
    )


@control.post("/customers/<customer_id>/card")
def change_card(customer_id: str) -> ResponseReturnValue:
    """{"number": …}: the customer pays with another (test) card from now on."""
    number = str(_given()["number"])
    return _do(lambda store: set_card(store, customer_id, number))


def set_card(store: Store, customer_id: str, number: str) -> Any:
    """Make a new test card the one that is charged for a customer's subscriptions."""
    customer = store.get("customer", customer_id)
    method = cards.new_method(store, number, customer_id, customer["email"])
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    store.save(customer)
    for subscription in store.all("subscription", parent=customer_id):
        subscription["default_payment_method"] = method["id"]
        is_live = subscription["status"] not in {"canceled", "incomplete"}
        end = subscription["items"]["data"][0]["current_period_end"]
        store.save(subscription, due=end if is_live else None)
    events.emit(store, "customer.updated", customer)
    return customer
