"""The views, a file per subject. Importing this package mounts them."""

from marketplace.pipeline.franchises import jobs, models, policies
from marketplace.pipeline.franchises.views import own, staff
from marketplace.pipeline.franchises.views.blueprints import franchises, franchises_staff

__all__ = ["franchises", "franchises_staff", "jobs", "models", "own", "policies", "staff"]
