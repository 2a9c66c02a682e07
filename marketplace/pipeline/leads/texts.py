"""What leads, stages and answers are called."""

from marketplace.pipeline.leads.models import (
    LeadSource,
    LeadStage,
    LeadState,
    Method,
    OfferState,
    Review,
)

CONSENT = (
    "Share my name, e-mail address and this request with the one partner who accepts it. "
    "Until then partners see it without my contact details."
)
SOURCES = {
    LeadSource.LISTING: "A listing's page",
    LeadSource.PARTNER_PAGE: "A partner's page",
    LeadSource.DIRECTORY: "The directory",
    LeadSource.CAMPAIGN: "A campaign",
    LeadSource.PARTNER: "Registered by the partner",
}
STATES = {
    LeadState.OFFERED: ("Offered", "info"),
    LeadState.UNPLACED: ("Nobody has it", "warning"),
    LeadState.ACCEPTED: ("With a partner", "success"),
    LeadState.CLOSED: ("Closed", "neutral"),
}
STAGES = {
    LeadStage.NEW: ("New", "info"),
    LeadStage.CONTACTED: ("Contacted", "info"),
    LeadStage.QUALIFIED: ("Qualified", "brand"),
    LeadStage.PROPOSAL: ("Proposal", "brand"),
    LeadStage.WON: ("Won", "success"),
    LeadStage.LOST: ("Lost", "neutral"),
}
REVIEWS = {
    Review.PENDING: ("Not looked at yet", "neutral"),
    Review.QUALIFIED: ("Qualified", "success"),
    Review.REJECTED: ("Not qualified", "danger"),
}
OFFERS = {
    OfferState.OPEN: ("Waits for your answer", "warning"),
    OfferState.ACCEPTED: ("Accepted", "success"),
    OfferState.DECLINED: ("Declined", "neutral"),
    OfferState.EXPIRED: ("Deadline passed", "neutral"),
    OfferState.WITHDRAWN: ("Taken back", "neutral"),
}
METHODS = {
    Method.ROUND_ROBIN: "In turn",
    Method.WEIGHTED: "In turn, weighted by tier",
}
# In whole units of the program's currency.
BUDGETS = {
    "": "Not decided",
    "under_5k": "Under 5,000",
    "5k_25k": "5,000 to 25,000",
    "25k_100k": "25,000 to 100,000",
    "over_100k": "Over 100,000",
}


def budget_words(budget: str, currency: str) -> str:
    """A range in words, like "5,000 to 25,000 EUR"."""
    words = BUDGETS.get(budget, budget)
    return f"{words} {currency}".strip() if budget else words


TIME_FRAMES = {
    "": "Not decided",
    "now": "As soon as possible",
    "quarter": "Within three months",
    "half_year": "Within six months",
    "later": "Later",
}
EVENTS = {
    "captured": "Arrived",
    "offered": "Offered",
    "accepted": "Accepted",
    "declined": "Declined",
    "expired": "Deadline passed",
    "withdrawn": "Offer taken back",
    "unplaced": "Nobody left to offer it to",
    "staged": "Moved",
    "reviewed": "Looked at",
    "duplicated": "Duplicate",
    "merged": "Merged",
    "reassigned": "Given to somebody else",
    "closed": "Closed",
    "reopened": "Opened again",
    "taken_back": "Taken back by the partner",
    "erased": "Personal data removed",
    "cleared": "No duplicate after all",
    "deal_registered": "Deal registered",
}
