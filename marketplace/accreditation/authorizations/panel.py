"""What a listing's page says of its authorizations."""

from collections.abc import Mapping
from typing import Any

from marketplace.accreditation.authorizations.reading import authorizations_of_listing
from marketplace.accreditation.authorizations.schemes import LABELS
from marketplace.accreditation.authorizations.texts import STATUSES


def authorization_panel(listing: Any, _actor: object) -> Mapping[str, Any]:
    """The values for the page's template. One query."""
    return {
        "authorizations": authorizations_of_listing(listing.id),
        "authorization_labels": LABELS,
        "authorization_statuses": STATUSES,
    }
