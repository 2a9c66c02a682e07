"""The views, a file per subject. Importing this package mounts them."""

from marketplace.pipeline.leads import jobs, models, policies
from marketplace.pipeline.leads.views import briefs, files, offers, own, routing, staff
from marketplace.pipeline.leads.views.blueprints import leads, leads_staff

__all__ = [
    "briefs",
    "files",
    "jobs",
    "leads",
    "leads_staff",
    "models",
    "offers",
    "own",
    "policies",
    "routing",
    "staff",
]
