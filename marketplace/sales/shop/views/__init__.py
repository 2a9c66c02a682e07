"""The views, a file per subject. Importing this package mounts them on their blueprints."""

from marketplace.sales.shop import policies
from marketplace.sales.shop.views import (
    buying,
    orders,
    paying,
    profile,
    refunds,
    subscriptions,
)
from marketplace.sales.shop.views.blueprints import purchases, shop

__all__ = [
    "buying",
    "orders",
    "paying",
    "policies",
    "profile",
    "purchases",
    "refunds",
    "shop",
    "subscriptions",
]
