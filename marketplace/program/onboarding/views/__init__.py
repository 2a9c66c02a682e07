"""The views, a file per subject. Importing this package mounts them."""

from marketplace.program.onboarding import jobs, policies
from marketplace.program.onboarding.views import partner, signing_up, staff
from marketplace.program.onboarding.views.blueprints import joining, onboarding, onboarding_staff

__all__ = [
    "jobs",
    "joining",
    "onboarding",
    "onboarding_staff",
    "partner",
    "policies",
    "signing_up",
    "staff",
]
