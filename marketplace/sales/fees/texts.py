"""What each fee is for, in the partner's words."""

from billing.models import FeeKind, OrderState

ABOUT = {
    FeeKind.APPLICATION: "For looking at your application to the partner programme, once.",
    FeeKind.CERTIFICATION: "For checking a listing against the standards of certified ones.",
    FeeKind.LISTING: "For a listing in the marketplace.",
    FeeKind.SUPPORT_PACK: "For answers by our engineers before all others.",
}
# Label and tone of a badge.
STATES = {
    OrderState.PENDING: ("Not paid yet", "warning"),
    OrderState.PAID: ("Paid", "success"),
    OrderState.EXPIRED: ("Expired", "neutral"),
    OrderState.CANCELED: ("Canceled", "neutral"),
    OrderState.FAILED: ("Failed", "danger"),
}
