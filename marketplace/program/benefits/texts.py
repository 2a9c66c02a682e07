"""How states of claims are shown."""

from marketplace.program.benefits.models import ClaimState

# Label and tone of a badge.
STATES = {
    ClaimState.CLAIMED: ("Waiting for us", "info"),
    ClaimState.FULFILLED: ("Fulfilled", "success"),
    ClaimState.REFUSED: ("Refused", "danger"),
    ClaimState.WITHDRAWN: ("Withdrawn", "neutral"),
}
