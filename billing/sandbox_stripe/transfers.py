"""Transfers to connected accounts, and their reversals."""

from typing import Any

from billing.sandbox_stripe import accounts, balance
from billing.sandbox_stripe.endpoints import (
    Call,
    copy_metadata,
    endpoint,
    list_of,
    listing,
    own,
    page_of,
    retrieval,
)
from billing.sandbox_stripe.errors import ApiError, invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.store import Store, Thing

# Only whole units can be sent in these (https://docs.stripe.com/currencies#special-cases).
_WHOLE_UNITS = frozenset({"huf", "twd", "isk", "ugx"})


@endpoint("transfers.create", "POST", "/v1/transfers", "TransferCreateParams")
def _create(call: Call) -> Thing:
    store, params = call.store, call.params
    amount, currency = int(params.get("amount", 0)), str(params["currency"])
    if amount <= 0:
        raise invalid("This value must be greater than or equal to 1.", "amount",
                      "parameter_invalid_integer")  # fmt: skip
    if currency in _WHOLE_UNITS and amount % 100:
        raise invalid(f"Invalid amount: {currency} has no minor units to send.", "amount")
    account = store.find(str(params["destination"]), "account")
    if account is None or account["_deauthorized"]:
        raise ApiError(
            400,
            f"No such destination: '{params['destination']}'",
            code="resource_missing",
            param="destination",
        )
    if not accounts.may_receive(account):
        raise ApiError(
            400,
            "Your destination account needs to have at least one of the following capabilities "
            "enabled: transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    source = params.get("source_transaction")
    if source:
        own(call, "charge", source, "source_transaction")
    else:
        balance.require_available(store, amount, currency)
    transfer = store.add(
        "transfer",
        "tr",
        {
            "amount": amount,
            "amount_reversed": 0,
            "balance_transaction": None,
            "currency": currency,
            "description": params.get("description"),
            "destination": account["id"],
            "destination_payment": None,
            "metadata": params.get("metadata") or {},
            "reversals": None,
            "reversed": False,
            "source_transaction": source,
            "source_type": "card",
            "transfer_group": params.get("transfer_group"),
        },
    )
    entry = balance.book(store, "transfer", -amount, currency, transfer["id"],
                         description=params.get("description"))  # fmt: skip
    payment = store.add(
        "charge",
        "py",
        {
            "amount": amount,
            "amount_refunded": 0,
            "currency": currency,
            "disputed": False,
            "paid": True,
            "metadata": {},
            "refunded": False,
            "source_transfer": transfer["id"],
            "status": "succeeded",
            "payment_intent": None,
            "balance_transaction": None,
            "_refund_fails": False,
        },
        account=account["id"],
    )
    arrived = balance.book(store, "payment", amount, currency, payment["id"], account=account["id"])
    payment["balance_transaction"] = arrived["id"]
    store.save(payment)
    transfer |= {
        "balance_transaction": entry["id"],
        "destination_payment": payment["id"],
        "reversals": list_of([], f"/v1/transfers/{transfer['id']}/reversals"),
    }
    store.save(transfer)
    emit(store, "transfer.created", transfer)
    return transfer


def reverse_transfer(
    store: Store, transfer: Thing, amount: int | None, metadata: dict[str, Any] | None = None
) -> Thing:
    """Take back all or part of a transfer, if the destination still has it. Raises ApiError."""
    left = int(transfer["amount"]) - int(transfer["amount_reversed"])
    if left == 0:
        raise invalid(f"Transfer {transfer['id']} is already fully reversed.",
                      code="transfer_already_reversed")  # fmt: skip
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise invalid(
            f"Reversal amount ({amount}) is greater than unreversed amount on transfer ({left})",
            "amount",
        )
    currency, destination = transfer["currency"], transfer["destination"]
    if balance.balances(store, destination, currency)[1] < amount:
        raise ApiError(
            400,
            "Insufficient funds in the destination account to reverse this transfer.",
            code="balance_insufficient",
        )
    reversal = store.add(
        "transfer_reversal",
        "trr",
        {
            "amount": amount,
            "balance_transaction": None,
            "currency": currency,
            "destination_payment_refund": None,
            "metadata": metadata or {},
            "source_refund": None,
            "transfer": transfer["id"],
        },
        parent=transfer["id"],
    )
    entry = balance.book(
        store, "transfer_refund", amount, currency, reversal["id"], category="transfer_reversal"
    )
    balance.book(
        store,
        "payment_refund",
        -amount,
        currency,
        transfer["destination_payment"],
        account=destination,
        category="refund",
    )
    reversal["balance_transaction"] = entry["id"]
    store.save(reversal)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"]["data"].insert(0, reversal)
    store.save(transfer)
    emit(store, "transfer.reversed", transfer)
    return reversal


@endpoint("transfers.reversals.create", "POST", "/v1/transfers/{id}/reversals",
          "TransferReversalCreateParams")  # fmt: skip
def _reverse(call: Call) -> Thing:
    transfer = own(call, "transfer", call.id)
    return reverse_transfer(
        call.store, transfer, call.params.get("amount"), call.params.get("metadata")
    )


@endpoint("transfers.reversals.list", "GET", "/v1/transfers/{id}/reversals",
          "TransferReversalListParams")  # fmt: skip
def _reversals(call: Call) -> dict[str, Any]:
    transfer = own(call, "transfer", call.id)
    return page_of(call, "transfer_reversal", f"/v1/transfers/{call.id}/reversals",
                   lambda each: each["transfer"] == transfer["id"])  # fmt: skip


@endpoint("transfers.reversals.retrieve", "GET", "/v1/transfers/{id}/reversals/{reversal}",
          "TransferReversalRetrieveParams")  # fmt: skip
def _reversal(call: Call) -> Thing:
    own(call, "transfer", call.id)
    return own(call, "transfer_reversal", call.path["reversal"])


@endpoint("transfers.update", "POST", "/v1/transfers/{id}", "TransferUpdateParams")
def _update(call: Call) -> Thing:
    transfer = own(call, "transfer", call.id)
    copy_metadata(transfer, call.params)
    if "description" in call.params:
        transfer["description"] = call.params["description"]
    call.store.save(transfer)
    emit(call.store, "transfer.updated", transfer)
    return transfer


retrieval("transfers", "/v1/transfers", "transfer", "TransferRetrieveParams")
listing("transfers", "/v1/transfers", "transfer", "TransferListParams")
