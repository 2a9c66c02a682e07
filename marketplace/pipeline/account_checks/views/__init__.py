"""The views, a file per subject. Importing this package mounts them."""

from marketplace.pipeline.account_checks import jobs, models, policies
from marketplace.pipeline.account_checks.views import checks
from marketplace.pipeline.account_checks.views.blueprints import account_checks

__all__ = ["account_checks", "checks", "jobs", "models", "policies"]
