"""The views, a file per subject. Importing this package mounts them."""

from marketplace.observability.ranking import policies
from marketplace.observability.ranking.views import reading
from marketplace.observability.ranking.views.blueprints import ranking

__all__ = ["policies", "ranking", "reading"]
