"""The views, a file per subject. Importing this package mounts them."""

from marketplace.accreditation.verification import jobs, policies
from marketplace.accreditation.verification.views import links, partner, reviewing
from marketplace.accreditation.verification.views.blueprints import verification, verification_staff

__all__ = [
    "jobs",
    "links",
    "partner",
    "policies",
    "reviewing",
    "verification",
    "verification_staff",
]
