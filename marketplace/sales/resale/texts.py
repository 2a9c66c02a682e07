"""Where agreements and quotes stand, in words."""

from billing.models import AgreementState, PlanBilling, QuoteState

AGREEMENT_STATES: dict[AgreementState, tuple[str, str]] = {
    AgreementState.OFFERED: ("Offered", "warning"),
    AgreementState.ACTIVE: ("In force", "success"),
    AgreementState.DECLINED: ("Declined", "neutral"),
    AgreementState.ENDED: ("Ended", "neutral"),
}
QUOTE_STATES: dict[QuoteState, tuple[str, str]] = {
    QuoteState.DRAFT: ("Draft", "neutral"),
    QuoteState.SENT: ("Sent", "info"),
    QuoteState.ACCEPTED: ("Accepted, not paid", "warning"),
    QuoteState.PAID: ("Paid", "success"),
    QuoteState.DECLINED: ("Declined", "danger"),
    QuoteState.WITHDRAWN: ("Withdrawn", "neutral"),
    QuoteState.EXPIRED: ("Expired", "neutral"),
}
# The same, as the customer reads it.
RECEIVED_STATES: dict[QuoteState, tuple[str, str]] = {
    **QUOTE_STATES,
    QuoteState.SENT: ("Waits for you", "warning"),
    QuoteState.ACCEPTED: ("Accepted, to be paid", "warning"),
}
# How a plan is paid: as a row of its own, and behind a price.
PAID: dict[PlanBilling, str] = {
    PlanBilling.FREE: "Free",
    PlanBilling.ONE_TIME: "Once",
    PlanBilling.MONTHLY: "Every month",
    PlanBilling.YEARLY: "Every year",
}
BILLING: dict[PlanBilling, str] = {
    PlanBilling.FREE: "free",
    PlanBilling.ONE_TIME: "once",
    PlanBilling.MONTHLY: "a month",
    PlanBilling.YEARLY: "a year",
}
