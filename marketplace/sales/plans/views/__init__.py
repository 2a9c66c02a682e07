"""The views, a file per subject. Importing this package mounts them on their blueprints."""

from marketplace.sales.plans import policies
from marketplace.sales.plans.views import discounts, plans, staff_discounts, taxes
from marketplace.sales.plans.views.blueprints import selling, selling_staff

__all__ = [
    "discounts",
    "plans",
    "policies",
    "selling",
    "selling_staff",
    "staff_discounts",
    "taxes",
]
