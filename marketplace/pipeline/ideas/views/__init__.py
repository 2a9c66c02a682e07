"""The views, a file per subject. Importing this package mounts them."""

from marketplace.pipeline.ideas import jobs, models, policies
from marketplace.pipeline.ideas.views import partner, public, staff
from marketplace.pipeline.ideas.views.blueprints import ideas, ideas_staff

__all__ = ["ideas", "ideas_staff", "jobs", "models", "partner", "policies", "public", "staff"]
