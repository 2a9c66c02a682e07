"""The views, a file per subject. Importing this package mounts them."""

from marketplace.observability.cockpit import models, policies
from marketplace.observability.cockpit.views import reading
from marketplace.observability.cockpit.views.blueprints import cockpit

__all__ = ["cockpit", "models", "policies", "reading"]
