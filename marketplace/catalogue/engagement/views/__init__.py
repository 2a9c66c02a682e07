"""The views, a file per subject. Importing this package mounts them on their blueprints."""

from marketplace.catalogue.engagement import policies
from marketplace.catalogue.engagement.views import (
    follows,
    partner_reviews,
    reviews,
    staff_flags,
    uses,
)
from marketplace.catalogue.engagement.views.blueprints import engagement, requests

__all__ = [
    "engagement",
    "follows",
    "partner_reviews",
    "policies",
    "requests",
    "reviews",
    "staff_flags",
    "uses",
]
