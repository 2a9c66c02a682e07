"""The views, a file per subject. Importing this package mounts them."""

from marketplace.pipeline.deals import jobs, models, policies
from marketplace.pipeline.deals.services import reminding
from marketplace.pipeline.deals.views import credits, files, own, staff
from marketplace.pipeline.deals.views.blueprints import deals, deals_staff

__all__ = [
    "credits",
    "deals",
    "deals_staff",
    "files",
    "jobs",
    "models",
    "own",
    "policies",
    "reminding",
    "staff",
]
