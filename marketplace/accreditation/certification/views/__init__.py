"""The views, a file per subject. Importing this package mounts them."""

from marketplace.accreditation.certification import jobs, policies
from marketplace.accreditation.certification.views import partner, programs, reviewing
from marketplace.accreditation.certification.views.blueprints import (
    certification,
    certification_staff,
)

__all__ = [
    "certification",
    "certification_staff",
    "jobs",
    "partner",
    "policies",
    "programs",
    "reviewing",
]
