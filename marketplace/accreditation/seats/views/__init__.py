"""The views. Importing this package mounts them."""

from marketplace.accreditation.seats import policies
from marketplace.accreditation.seats.views import pages
from marketplace.accreditation.seats.views.blueprints import seats

__all__ = ["pages", "policies", "seats"]
