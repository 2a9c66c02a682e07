"""The views, a file per subject. Importing this package mounts them."""

from marketplace.observability.reports import jobs, models, policies
from marketplace.observability.reports.views import own, staff
from marketplace.observability.reports.views.blueprints import reports, reports_staff

__all__ = ["jobs", "models", "own", "policies", "reports", "reports_staff", "staff"]
