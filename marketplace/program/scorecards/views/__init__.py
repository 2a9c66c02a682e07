"""The views, a file per subject. Importing this package mounts them."""

from marketplace.program.scorecards import jobs, policies
from marketplace.program.scorecards.views import partner, replays, staff
from marketplace.program.scorecards.views.blueprints import scorecards, standings

__all__ = ["jobs", "partner", "policies", "replays", "scorecards", "staff", "standings"]
