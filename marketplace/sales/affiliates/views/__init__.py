"""The views, a file per subject. Importing this package mounts them on their blueprints."""

from billing.affiliates import card_check
from marketplace.sales.affiliates import policies
from marketplace.sales.affiliates.views import following, holds, leads, members, own, programs
from marketplace.sales.affiliates.views.blueprints import (
    affiliates,
    affiliates_api,
    affiliates_staff,
)

__all__ = [
    "affiliates",
    "affiliates_api",
    "affiliates_staff",
    "card_check",
    "following",
    "holds",
    "leads",
    "members",
    "own",
    "policies",
    "programs",
]
