"""The views, a file per subject. Importing this package mounts them."""

from marketplace.observability.analytics import jobs, models, policies
from marketplace.observability.analytics.views import reading
from marketplace.observability.analytics.views.blueprints import analytics, analytics_staff

__all__ = ["analytics", "analytics_staff", "jobs", "models", "policies", "reading"]
