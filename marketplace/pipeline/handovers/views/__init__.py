"""The views, a file per side. Importing this package mounts them."""

from marketplace.pipeline.handovers import policies
from marketplace.pipeline.handovers.views import agency, client
from marketplace.pipeline.handovers.views.blueprints import handovers

__all__ = ["agency", "client", "handovers", "policies"]
