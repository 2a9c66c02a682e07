"""The views, a file per subject. Importing this package mounts them."""

from marketplace.accreditation.passport import jobs, policies
from marketplace.accreditation.passport.views import portal, staff
from marketplace.accreditation.passport.views.blueprints import passport, passport_staff
from marketplace.accreditation.passport.views.receipts import passport_receipts

__all__ = [
    "jobs",
    "passport",
    "passport_receipts",
    "passport_staff",
    "policies",
    "portal",
    "staff",
]
