"""The views, a file per subject. Importing this package mounts them."""

from marketplace.observability.dashboard import policies
from marketplace.observability.dashboard.views import reading
from marketplace.observability.dashboard.views.blueprints import dashboard

__all__ = ["dashboard", "policies", "reading"]
