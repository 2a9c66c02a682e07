"""The desk's words for states, kinds, alerts and evidence."""

from billing.desk.alerts import Alert, Code
from billing.formatting import format_money
from billing.models import (
    DisputeState,
    EarningKind,
    EarningState,
    FeeKind,
    ObjectionState,
    OrderKind,
    OrderState,
    RefundState,
    RequestState,
)

FEE_KINDS = {
    FeeKind.SALE.value: "Sales",
    FeeKind.APPLICATION.value: "Application",
    FeeKind.CERTIFICATION.value: "Certification",
    FeeKind.LISTING.value: "Listing",
    FeeKind.SUPPORT_PACK.value: "Support pack",
}
ORDER_KINDS = {
    OrderKind.PURCHASE: "Purchase",
    OrderKind.RENEWAL: "Renewal",
    OrderKind.CHANGE: "Change of plan",
    OrderKind.RESALE: "Resale",
    OrderKind.PROGRAM_FEE: "Program fee",
}
# Label and tone of a badge.
ORDER_STATES = {
    OrderState.PENDING: ("Not paid yet", "warning"),
    OrderState.PAID: ("Paid", "success"),
    OrderState.EXPIRED: ("Expired", "neutral"),
    OrderState.CANCELED: ("Canceled", "neutral"),
    OrderState.FAILED: ("Failed", "danger"),
}
REFUND_STATES = {
    RefundState.INTENDED: ("Being sent", "info"),
    RefundState.PENDING: ("Under way", "info"),
    RefundState.SUCCEEDED: ("Refunded", "success"),
    RefundState.FAILED: ("Failed", "danger"),
    RefundState.CANCELED: ("Canceled", "neutral"),
}
REQUEST_STATES = {
    RequestState.OPEN: ("Open", "warning"),
    RequestState.GRANTED: ("Granted", "success"),
    RequestState.REFUSED: ("Refused", "neutral"),
    RequestState.WITHDRAWN: ("Withdrawn", "neutral"),
}
DISPUTE_STATES = {
    DisputeState.WARNING: ("Inquiry", "info"),
    DisputeState.OPEN: ("Open", "warning"),
    DisputeState.WON: ("Won", "success"),
    DisputeState.LOST: ("Lost", "danger"),
}
OBJECTION_STATES = {
    ObjectionState.OPEN: ("Open", "warning"),
    ObjectionState.UPHELD: ("Upheld", "success"),
    ObjectionState.REJECTED: ("Stays as it is", "neutral"),
    ObjectionState.WITHDRAWN: ("Withdrawn", "neutral"),
}
EARNING_KINDS = {
    EarningKind.PUBLISHER_SHARE: "Publisher's share",
    EarningKind.RESELLER_MARGIN: "Reseller's margin",
    EarningKind.AFFILIATE_COMMISSION: "Affiliate's commission",
    EarningKind.RETURNED_COMMISSION: "Commission back to the publisher",
}
EARNING_STATES = {
    EarningState.HELD: ("Held", "info"),
    EarningState.PAYABLE: ("Released", "success"),
    EarningState.VOID: ("Taken back", "neutral"),
}
# Stripe's names of evidence that is text: label and hint.
EVIDENCE = {
    "uncategorized_text": (
        "What happened",
        "The story in a few sentences: what was bought, when, and how it was used.",
    ),
    "product_description": ("What was sold", ""),
    "access_activity_log": (
        "Proof of use",
        "Sign-ins, installations or calls after the payment, with dates.",
    ),
    "refund_refusal_explanation": ("Why it was not refunded", ""),
    "cancellation_rebuttal": (
        "Why the customer was not entitled to cancel",
        "",
    ),
    "customer_name": ("Customer's name", ""),
    "customer_email_address": ("Customer's e-mail address", ""),
}
# Evidence of a few words.
SHORT_EVIDENCE = frozenset({"product_description", "customer_name", "customer_email_address"})
KINDS = {
    "sale": "Sale",
    "grant": "Grant or reward",
    "processing_fee": "Processing fee",
    "fx": "Conversion",
    "available": "Became available",
    "release": "Released to a partner",
    "netting": "Netted against what is owed",
    "refund": "Refund",
    "refund_paid": "Refund paid",
    "refund_fee": "Fee of a refund",
    "refund_failed": "Refund failed",
    "refund_unpaid": "Refund came back",
    "dispute": "Dispute opened",
    "dispute_won": "Dispute won",
    "dispute_lost": "Dispute lost",
    "dispute_regained": "Lost dispute won after all",
    "payout_reserve": "Payout approved",
    "payout_transfer": "Payout transferred",
    "payout_release": "Payout released",
    "payout_lessened": "Payout lessened",
    "surplus_transfer": "Transfer that nothing waited for",
    "surplus_reversal": "Such a transfer reversed",
    "payout_reversed": "Payout taken back",
    "transfer_reversal": "Transfer reversed",
    "reversal": "Transfer reversed",
    "write_off": "Write-off",
    "conversion": "Converted balance",
    "adjustment": "Adjustment",
    "freeze": "Frozen",
    "unfreeze": "Unfrozen",
}

_ALERTS: dict[Code, tuple[str, str, str]] = {
    # one, many ({n}: count, {amounts}), and the endpoint where to look
    Code.RUN_NOT_MADE: (
        "Nobody has paid the partners: {amounts} waits",
        "Nobody has paid the partners: {amounts} waits",
        "finance_payouts.runs",
    ),
    Code.RUN_STOPPED: (
        "A payout run has stopped half-way",
        "{n} payout runs have stopped half-way",
        "finance_payouts.runs",
    ),
    Code.PAYOUTS_FAILED: (
        "A payout needs a decision",
        "{n} payouts need a decision",
        "finance_payouts.runs",
    ),
    Code.BREAKS_GROW: (
        "There is 1 open break, up from {detail} a week ago",
        "There are {n} open breaks, up from {detail} a week ago",
        "reconciliation.home",
    ),
    Code.BREAKS_OPEN: ("There is 1 open break", "There are {n} open breaks", "reconciliation.home"),
    Code.NOT_RECONCILED: (
        "Stripe was not reconciled for two days",
        "Stripe was not reconciled for two days",
        "reconciliation.home",
    ),
    Code.EVENTS_DEAD: (
        "An event from Stripe could not be handled",
        "{n} events from Stripe could not be handled",
        "stripe_staff.events",
    ),
    Code.OPERATIONS_UNKNOWN: (
        "A call to Stripe has an unknown end",
        "{n} calls to Stripe have an unknown end",
        "stripe_staff.events",
    ),
    Code.PARTNERS_OWE: (
        "A partner owes {amounts}",
        "{n} partners owe {amounts}",
        "finance.receivables",
    ),
    Code.SUSPENSE: (
        "{amounts} in suspense: nobody has said what it is",
        "{amounts} in suspense: nobody has said what it is",
        "reconciliation.home",
    ),
    Code.EVIDENCE_DUE: (
        "Evidence for a dispute is due within three days",
        "Evidence for {n} disputes is due within three days",
        "finance.disputes",
    ),
    Code.REFUNDS_FAILED: ("A refund failed", "{n} refunds failed", "finance.refunds"),
    Code.REFUNDS_ASKED: (
        "A customer asks for a refund",
        "{n} requests for a refund wait",
        "finance.refunds",
    ),
    Code.QUESTIONS: (
        "A partner's question waits",
        "{n} questions of partners wait",
        "finance.objections",
    ),
    Code.WRITE_OFFS: (
        "A write-off waits for a second person",
        "{n} write-offs wait for a second person",
        "finance.write_offs",
    ),
    Code.MONTH_OPEN: (
        "{detail} is not closed yet",
        "{n} months are not closed yet, the first is {detail}",
        "reconciliation.periods",
    ),
}


def alert_text(alert: Alert) -> str:
    """An alert in one sentence."""
    one, many, _endpoint = _ALERTS[alert.code]
    amounts = " and ".join(format_money(amount, currency) for amount, currency in alert.amounts)
    text = one if alert.count <= 1 else many
    return text.format(n=alert.count, amounts=amounts, detail=alert.detail)


def alert_endpoint(alert: Alert) -> str:
    """The page where something can be done about it."""
    return _ALERTS[alert.code][2]


def kind_text(kind: str) -> str:
    """A kind of transaction in words."""
    if kind in KINDS:
        return KINDS[kind]
    return kind.replace("_", " ").capitalize()
