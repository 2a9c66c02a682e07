"""Words for what a row comes from."""

from marketplace.catalogue.exposure import Placement
from marketplace.observability.analytics.texts import PLACEMENTS

SOURCES = {
    "order": "Order",
    "order_line": "Order",
    "refund": "Refund",
    "lead": "Lead",
    "deal": "Deal",
    "installation": "Installation",
    "credential": "Credential",
    "certification": "Certification",
    "payout": "Payout",
    "sale": "Sale",
    "release": "Released",
    "payout_reserve": "Set apart for a payout",
}


def what_text(value: str | None) -> str:
    """The word for a source; names stay as they are."""
    if value is None:
        return "Removed"
    known = SOURCES.get(value)
    return known or (value.replace("_", " ").capitalize() if value.islower() else value)


def ref_text(value: str | None) -> str:
    """The word for a placement; other references stay as they are."""
    return PLACEMENTS[Placement(value)] if value in set(Placement) else value or ""
