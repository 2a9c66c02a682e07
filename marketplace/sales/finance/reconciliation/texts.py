"""Breaks and steps in words."""

from typing import Any

TYPES: dict[str, str] = {
    "missing_in_ledger": "Not in the ledger",
    "missing_in_stripe": "Not at Stripe",
    "amount": "Amount differs",
    "fee": "Fee differs",
    "currency": "Currency differs",
    "timing": "Another month",
    "duplicate": "Twice",
    "unmatched_bank": "Bank without match",
}
EXPLANATIONS: dict[str, str] = {
    "missing_in_ledger": "Stripe moved this money, and nothing in the ledger says why.",
    "missing_in_stripe": "The ledger says that this moved at Stripe, and Stripe does not show it.",
    "amount": "Both sides know it, with different amounts.",
    "fee": "Stripe took another fee than the ledger booked.",
    "currency": "The ledger booked it in another currency than Stripe.",
    "timing": "Stripe counts it in another month than the ledger.",
    "duplicate": "It happened once by our books and twice at Stripe, or the other way round.",
    "unmatched_bank": "A payout without a line of the bank, or a line without a payout.",
}
STATES: dict[str, tuple[str, str]] = {
    "open": ("Open", "warning"),
    "explained": ("Explained", "info"),
    "resolved": ("Resolved", "success"),
}
SUBJECTS: dict[str, str] = {
    "balance_txn": "Stripe",
    "ledger_txn": "Ledger",
    "stripe_payout": "Payout to our bank",
    "bank_line": "Bank line",
    "bank_import": "Bank file",
    "balance": "Balance",
}
STEPS: dict[str, str] = {
    "mirror": "Reading Stripe's list",
    "payouts": "Reading payouts",
    "match": "Matching",
    "release": "Moving what became available",
    "bank": "Matching the bank",
    "balances": "Asking for the balance",
    "compare": "Comparing",
    "done": "Done",
}
BALANCES: dict[str, str] = {
    "opening": "Yesterday's closing and today's movements do not make today's closing",
    "stripe": "Stripe's balance is not the sum of its list",
    "ledger": "The ledger's balance differs by more than the breaks explain",
}
RULES: dict[str, str] = {
    "source": "By its source",
    "metadata": "By its metadata",
    "trace_id": "By its trace id",
    "amount_and_date": "By amount and date",
    "by_hand": "By hand",
}
# What an account means when it bears a difference, where that is not what the chart says.
BEARERS: dict[str, str] = {
    "bank": "Our own bank account, like a top-up of the balance",
    "bad_debt": "Lost: nobody will pay it back",
    "suspense": "Not known yet; it stays a question",
}
PAYOUT_STATES: dict[str, tuple[str, str]] = {
    "pending": ("Pending", "neutral"),
    "in_transit": ("On its way", "info"),
    "paid": ("Paid", "success"),
    "failed": ("Failed", "danger"),
    "canceled": ("Canceled", "neutral"),
}


def subject_text(found: Any) -> str:
    """What a break is about, in a few words."""
    text = _subject(found)
    return text[:1].upper() + text[1:] if found.subject_type != "stripe_payout" else text


def _subject(found: Any) -> str:
    details = found.details or {}
    if found.subject_type == "balance_txn":
        return f"{details.get('type', 'movement').replace('_', ' ')} {found.subject_id}"
    if found.subject_type == "ledger_txn":
        kind = details.get("kind", "transaction").replace("_", " ")
        return f"{kind}, transaction {found.subject_id}"
    if found.subject_type == "bank_line":
        return details.get("text") or details.get("reference") or f"line {found.subject_id}"
    if found.subject_type == "bank_import":
        return str(details.get("file_name", found.subject_id))
    if found.subject_type == "balance":
        currency, _, name = found.subject_id.partition(":")
        return f"{BALANCES.get(name, name)} ({currency})"
    return str(found.subject_id)
