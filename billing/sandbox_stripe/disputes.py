"""Disputes: the disputed amount is withdrawn at once and comes back when the dispute is won."""

from typing import Any

from billing.sandbox_stripe import balance
from billing.sandbox_stripe.endpoints import (
    Call,
    copy_metadata,
    endpoint,
    listing,
    own,
    retrieval,
)
from billing.sandbox_stripe.errors import invalid
from billing.sandbox_stripe.events import emit
from billing.sandbox_stripe.store import Store, Thing, timestamp

EVIDENCE_WITHIN_SECONDS = 9 * 86_400
_OPEN = frozenset({"needs_response", "under_review"})
# As in Stripe's test mode: this text as evidence decides at once.
_DECIDES = {"winning_evidence": True, "losing_evidence": False}


def open_dispute(
    store: Store, charge: Thing, *, reason: str = "fraudulent", amount: int | None = None
) -> Thing:
    """The customer's bank takes the money back. `amount` may exceed the charge."""
    disputed = int(charge["amount"]) if amount is None else amount
    dispute = store.add(
        "dispute",
        "du",
        {
            "amount": disputed,
            "balance_transactions": [],
            "charge": charge["id"],
            "currency": charge["currency"],
            "evidence": {},
            "evidence_details": {
                "due_by": timestamp() + EVIDENCE_WITHIN_SECONDS,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "status": "needs_response",
        },
        parent=charge["id"],
    )
    settled, currency, rate = balance.settle(store, disputed, charge["currency"])
    entry = balance.book(
        store,
        "adjustment",
        -settled,
        currency,
        dispute["id"],
        fee=balance.DISPUTE_FEE,
        category="dispute",
        rate=rate,
        description=f"Chargeback withdrawal for {charge['id']}",
        fee_description="Dispute fee",
    )
    dispute["balance_transactions"] = [_public(entry)]
    store.save(dispute)
    charge["disputed"] = True
    store.save(charge)
    emit(store, "charge.dispute.created", dispute)
    emit(store, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def is_open(store: Store, charge: Thing) -> bool:
    """Whether a dispute of the charge waits for its decision, or was lost."""
    found = store.all("dispute", parent=charge["id"])
    return any(each["status"] in _OPEN or each["status"] == "lost" for each in found)


def decide(store: Store, dispute: Thing, *, won: bool) -> Thing:
    """The bank decides. Deciding again changes nothing, but a loss may be turned round."""
    turns_round = won and dispute["status"] == "lost"
    if dispute["status"] not in _OPEN and not turns_round:
        return dispute
    dispute["status"] = "won" if won else "lost"
    if won:
        charge = store.get("charge", dispute["charge"])
        settled, currency, rate = balance.settle(store, dispute["amount"], dispute["currency"])
        entry = balance.book(
            store,
            "adjustment",
            settled,
            currency,
            dispute["id"],
            category="dispute_reversal",
            rate=rate,
            description=f"Chargeback reversal for {charge['id']}",
        )
        dispute["balance_transactions"].append(_public(entry))
        dispute["is_charge_refundable"] = True
    store.save(dispute)
    if won:
        emit(store, "charge.dispute.funds_reinstated", dispute)
    emit(store, "charge.dispute.closed", dispute)
    return dispute


def _public(entry: Thing) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if not name.startswith("_")}


@endpoint("disputes.update", "POST", "/v1/disputes/{id}", "DisputeUpdateParams")
def _update(call: Call) -> Thing:
    dispute = own(call, "dispute", call.id)
    copy_metadata(dispute, call.params)
    evidence = call.params.get("evidence")
    if evidence:
        if dispute["status"] not in _OPEN:
            raise invalid("This dispute is already closed.", "evidence")
        dispute["evidence"] |= evidence
        dispute["evidence_details"]["has_evidence"] = True
    call.store.save(dispute)
    if dispute["status"] == "needs_response" and call.params.get("submit", True) and evidence:
        dispute["status"] = "under_review"
        dispute["evidence_details"]["submission_count"] += 1
        call.store.save(dispute)
        emit(call.store, "charge.dispute.updated", dispute)
        verdict = _DECIDES.get(str(dispute["evidence"].get("uncategorized_text", "")))
        if verdict is not None:
            return decide(call.store, dispute, won=verdict)
    return dispute


@endpoint("disputes.close", "POST", "/v1/disputes/{id}/close", "DisputeCloseParams")
def _close(call: Call) -> Thing:
    return decide(call.store, own(call, "dispute", call.id), won=False)


retrieval("disputes", "/v1/disputes", "dispute", "DisputeRetrieveParams")
listing("disputes", "/v1/disputes", "dispute", "DisputeListParams")
