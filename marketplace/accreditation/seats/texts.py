"""The words of seats. Tones are those of badges."""

from marketplace.accreditation.seats.models import SeatState

STATES = {
    SeatState.ACTIVE: ("Active", "success"),
    SeatState.FROZEN: ("Frozen", "danger"),
    SeatState.ENDED: ("Ended", "neutral"),
}
