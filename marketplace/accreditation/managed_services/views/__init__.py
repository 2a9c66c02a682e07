"""The views, a file per subject. Importing this package mounts them."""

from marketplace.accreditation.managed_services import policies
from marketplace.accreditation.managed_services.views import partner, reviewing
from marketplace.accreditation.managed_services.views.blueprints import (
    managed_services,
    managed_services_staff,
)

__all__ = ["managed_services", "managed_services_staff", "partner", "policies", "reviewing"]
