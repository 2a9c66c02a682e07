"""The views, a file per subject. Importing this package mounts them."""

from marketplace.accreditation.embeds import policies
from marketplace.accreditation.embeds.views import badges, frames, portal
from marketplace.accreditation.embeds.views.blueprints import embeds

__all__ = ["badges", "embeds", "frames", "policies", "portal"]
