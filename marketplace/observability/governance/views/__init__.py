"""The views, a file per subject. Importing this package mounts them."""

from marketplace.observability.governance import checking, models, policies
from marketplace.observability.governance.views import reading
from marketplace.observability.governance.views.blueprints import governance

__all__ = ["checking", "governance", "models", "policies", "reading"]
