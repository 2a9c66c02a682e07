"""The views, a file per side. Importing this package mounts them."""

from marketplace.pipeline.campaigns import jobs, policies
from marketplace.pipeline.campaigns.views import landing, partner, staff
from marketplace.pipeline.campaigns.views.blueprints import campaigns, campaigns_staff

__all__ = ["campaigns", "campaigns_staff", "jobs", "landing", "partner", "policies", "staff"]
