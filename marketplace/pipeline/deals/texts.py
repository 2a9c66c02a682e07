"""What deals, stages and credits are called."""

from marketplace.pipeline.deals.models import CreditKind, DealStage, DealState

STATES = {
    DealState.SUBMITTED: ("Waits for approval", "warning"),
    DealState.CONFLICT: ("Already registered", "danger"),
    DealState.APPROVED: ("Protected", "success"),
    DealState.REFUSED: ("Refused", "neutral"),
    DealState.EXPIRED: ("Ended", "neutral"),
    DealState.WITHDRAWN: ("Withdrawn", "neutral"),
}
STAGES = {
    DealStage.DISCOVERY: ("Discovery", "info"),
    DealStage.PROPOSAL: ("Proposal", "info"),
    DealStage.NEGOTIATION: ("Negotiation", "brand"),
    DealStage.WON: ("Won", "success"),
    DealStage.LOST: ("Lost", "neutral"),
}
KINDS = {CreditKind.SOURCED: "Sourced", CreditKind.ASSISTED: "Assisted"}
EVENTS = {
    "registered": "Registered",
    "conflicted": "Somebody else was first",
    "approved": "Approved",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
    "expired": "Protection ended",
    "undecided": "Nobody decided in time",
    "extended": "Protection extended",
    "staged": "Moved",
    "won": "Won",
    "lost": "Lost",
    "split": "Credit split",
    "changed": "Changed",
}
