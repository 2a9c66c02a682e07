"""Payouts to bank accounts: the platform's, and those of connected accounts."""

import secrets

from billing.sandbox_stripe import balance
from billing.sandbox_stripe.endpoints import (
    Call,
    copy_metadata,
    endpoint,
    listing,
    own,
    retrieval,
)
from billing.sandbox_stripe.errors import ApiError, invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.store import Store, Thing, timestamp

ARRIVES_AFTER_SECONDS = 86_400
_FAILURES = {
    "account_closed": "The bank account has been closed.",
    "no_account": "The bank account could not be located.",
    "insufficient_funds": "Your Stripe account has insufficient funds to cover the payout.",
}


def new_payout(
    store: Store,
    amount: int,
    currency: str,
    *,
    account: str = "",
    automatic: bool,
    values: dict[str, object] | None = None,
) -> Thing:
    """Send `amount` to the bank (a negative one: take it from the bank)."""
    arrival = timestamp() + ARRIVES_AFTER_SECONDS
    given = values or {}
    payout = store.add(
        "payout",
        "po",
        {
            "amount": amount,
            "arrival_date": arrival,
            "automatic": automatic,
            "balance_transaction": None,
            "currency": currency,
            "description": given.get("description", "STRIPE PAYOUT" if automatic else None),
            "destination": f"ba_{account or 'platform'}",
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "metadata": given.get("metadata") or {},
            "method": "standard",
            "original_payout": None,
            "reconciliation_status": "in_progress" if automatic else "not_applicable",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": given.get("statement_descriptor"),
            "status": "in_transit",
            "trace_id": {"status": "pending", "value": None},
            "type": "bank_account",
        },
        account=account,
        due=arrival,
    )
    entry = balance.book(
        store, "payout", -amount, currency, payout["id"], account=account, category="payout"
    )
    entry["_payout"] = payout["id"] if automatic else None
    store.save(entry)
    payout["balance_transaction"] = entry["id"]
    store.save(payout, due=arrival)
    emit(store, "payout.created", payout, account=account)
    return payout


def pay_out_automatically(store: Store, account: str = "") -> list[Thing]:
    """Pay out all that is available, a payout per currency, and note what each consists of."""
    members: dict[str, list[Thing]] = {}
    for entry in store.all("balance_transaction", account=account):
        is_free = entry["_payout"] is None and entry["status"] == "available"
        if is_free and entry["type"] not in {"payout", "payout_failure"}:
            members.setdefault(entry["currency"], []).append(entry)
    made = []
    for currency, entries in sorted(members.items()):
        amount = sum(int(entry["net"]) for entry in entries)
        if amount == 0 or (account and amount < 0):
            continue
        payout = new_payout(store, amount, currency, account=account, automatic=True)
        for entry in entries:
            entry["_payout"] = payout["id"]
            store.save(entry)
        made.append(payout)
    return made


def arrive(store: Store, payout: Thing) -> Thing:
    """The money is at the bank."""
    if payout["status"] not in {"in_transit", "pending"}:
        store.save(payout)
        return payout
    account = store.account_of(payout["id"])
    payout |= {
        "status": "paid",
        "trace_id": {"status": "supported", "value": secrets.token_hex(8).upper()},
    }
    store.save(payout)
    emit(store, "payout.paid", payout, account=account)
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
        store.save(payout)
        emit(store, "payout.reconciliation_completed", payout, account=account)
    return payout


def fail(store: Store, payout: Thing, code: str = "account_closed") -> Thing:
    """The bank sends it back, before or after it was paid. Raises ApiError."""
    if payout["status"] in {"failed", "canceled"}:
        raise invalid("This payout has failed already.")
    account = store.account_of(payout["id"])
    entry = balance.book(
        store,
        "payout_failure",
        int(payout["amount"]),
        payout["currency"],
        payout["id"],
        account=account,
        category="payout_reversal",
    )
    payout |= {
        "status": "failed",
        "failure_code": code,
        "failure_message": _FAILURES.get(code, "The payout failed."),
        "failure_balance_transaction": entry["id"],
    }
    store.save(payout)
    emit(store, "payout.failed", payout, account=account)
    return payout


@endpoint("payouts.create", "POST", "/v1/payouts", "PayoutCreateParams")
def _create(call: Call) -> Thing:
    params = call.params
    amount, currency = int(params["amount"]), str(params["currency"])
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount")
    if balance.balances(call.store, call.account, currency)[1] < amount:
        raise ApiError(400, "You have insufficient funds in your Stripe account for this transfer.",
                       code="balance_insufficient")  # fmt: skip
    return new_payout(
        call.store, amount, currency, account=call.account, automatic=False, values=params
    )


@endpoint("payouts.update", "POST", "/v1/payouts/{id}", "PayoutUpdateParams")
def _update(call: Call) -> Thing:
    payout = own(call, "payout", call.id)
    copy_metadata(payout, call.params)
    is_open = payout["status"] == "in_transit"
    return call.store.save(payout, due=payout["arrival_date"] if is_open else None)


@endpoint("payouts.cancel", "POST", "/v1/payouts/{id}/cancel", "PayoutCancelParams")
def _cancel(call: Call) -> Thing:
    payout = own(call, "payout", call.id)
    if payout["status"] != "pending":
        raise invalid("Payouts can only be canceled while they are pending.")
    return payout


retrieval("payouts", "/v1/payouts", "payout", "PayoutRetrieveParams")
listing("payouts", "/v1/payouts", "payout", "PayoutListParams")
