"""The views, a file per subject. Importing this package mounts them."""

from marketplace.observability.reciprocity import policies
from marketplace.observability.reciprocity.views import reading
from marketplace.observability.reciprocity.views.blueprints import reciprocity

__all__ = ["policies", "reading", "reciprocity"]
