"""The views, a file per subject. Importing this package mounts them."""

from marketplace.program.benefits import policies
from marketplace.program.benefits.views import own, staff
from marketplace.program.benefits.views.blueprints import benefits, benefits_staff

__all__ = ["benefits", "benefits_staff", "own", "policies", "staff"]
