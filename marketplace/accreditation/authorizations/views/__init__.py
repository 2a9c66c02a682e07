"""The views, a file per subject. Importing this package mounts them."""

from marketplace.accreditation.authorizations import jobs, policies
from marketplace.accreditation.authorizations.views import packs, partner, reviewing
from marketplace.accreditation.authorizations.views.blueprints import (
    authorizations,
    authorizations_staff,
)

__all__ = [
    "authorizations",
    "authorizations_staff",
    "jobs",
    "packs",
    "partner",
    "policies",
    "reviewing",
]
