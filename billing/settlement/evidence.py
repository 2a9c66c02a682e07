"""What we tell the customer's bank about a disputed payment."""

from billing.models.refund import Dispute, DisputeState
from billing.settlement.parts import SettlementError
from marketplace.core.database import db
from marketplace.core.facts import record_fact
from marketplace.core.jobs import enqueue
from marketplace.core.locks import lock_row

SUBMIT = "settlement.submit_evidence"
# Texts that Stripe takes (https://docs.stripe.com/api/disputes/evidence_object), with what each
# is for. Files are not sent.
EVIDENCE: dict[str, str] = {
    "product_description": "What was sold",
    "customer_name": "The customer's name",
    "customer_email_address": "The customer's e-mail address",
    "billing_address": "The billing address",
    "service_date": "When it was first used",
    "access_activity_log": "How the customer used it",
    "refund_policy_disclosure": "How the customer saw the refund policy",
    "refund_refusal_explanation": "Why it was not refunded",
    "cancellation_policy_disclosure": "How the customer saw the cancellation policy",
    "cancellation_rebuttal": "Why the subscription was not canceled",
    "duplicate_charge_explanation": "Why it is not a double charge",
    "uncategorized_text": "Anything else",
}
# Stripe's limit for all texts together.
MOST_CHARACTERS = 150_000


def submit_evidence(dispute_id: int, evidence: dict[str, str], by_user_id: int) -> Dispute:
    """Have a job send these texts (by their names in EVIDENCE), once and for good.

    Raises SettlementError when the dispute waits for none, or nothing is told.
    """
    dispute = lock_row(Dispute, Dispute.id == dispute_id)
    if dispute is None:
        raise SettlementError("There is no such dispute.")
    if dispute.state not in {DisputeState.OPEN, DisputeState.WARNING}:
        raise SettlementError("The dispute is decided already.")
    if dispute.evidence_sent_at is not None or dispute.evidence:
        raise SettlementError("Evidence can be sent once, and it was sent.")
    texts = {name: text.strip() for name, text in evidence.items() if text.strip()}
    if not texts or texts.keys() - EVIDENCE.keys():
        raise SettlementError("Tell the bank something.")
    if sum(map(len, texts.values())) > MOST_CHARACTERS:
        raise SettlementError(f"At most {MOST_CHARACTERS:,} characters in all.")
    dispute.evidence = texts
    db.session.flush()
    enqueue(SUBMIT, {"dispute_id": dispute.id}, dedupe_key=f"{SUBMIT}:{dispute.id}")
    record_fact(
        "dispute.evidence_submitted",
        subject=("dispute", dispute.id),
        actor_user_id=by_user_id,
        data={"fields": sorted(texts)},
    )
    return dispute
