"""Words of the cockpit."""

from marketplace.catalogue.discovery.facets import country_label
from marketplace.program.standing.models import MoveKind

MOVES = {
    MoveKind.JOINED: ("Joined", "info"),
    MoveKind.PROMOTED: ("Promoted", "success"),
    MoveKind.GRACE_BEGAN: ("Grace began", "warning"),
    MoveKind.GRACE_ENDED: ("Grace ended", "success"),
    MoveKind.DEMOTED: ("Demoted", "danger"),
    MoveKind.OVERRIDDEN: ("Overridden", "neutral"),
    MoveKind.OVERRIDE_ENDED: ("Override ended", "neutral"),
    MoveKind.CONFIRMED: ("Confirmed", "success"),
    MoveKind.LAPSED: ("Lapsed", "danger"),
    MoveKind.ENDED: ("Ended", "neutral"),
    MoveKind.TYPE_CHANGED: ("Type changed", "neutral"),
}


def country_name(code: str) -> str:
    """A country's name; words for none."""
    return country_label(code) if code else "No country"


def minutes_in_words(minutes: int | None) -> str:
    """A time of answering, like `3 h 20 min`."""
    if minutes is None:
        return "–"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{minutes // (24 * 60)} days"
