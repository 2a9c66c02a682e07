"""The views, a file per subject. Importing this package mounts them."""

from marketplace.accreditation.credentials import jobs, policies
from marketplace.accreditation.credentials.views import holder, partner, public, staff
from marketplace.accreditation.credentials.views.blueprints import credentials, credentials_staff

__all__ = [
    "credentials",
    "credentials_staff",
    "holder",
    "jobs",
    "partner",
    "policies",
    "public",
    "staff",
]
