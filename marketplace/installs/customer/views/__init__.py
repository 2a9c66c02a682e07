"""The views, a file per subject. Importing this package mounts them on their blueprints."""

from marketplace.installs.customer import jobs, policies
from marketplace.installs.customer.views import (
    installation,
    installing,
    inventory,
    partner_erasures,
    policy,
    requests,
    staff,
)
from marketplace.installs.customer.views.blueprints import installs, installs_staff

__all__ = [
    "installation",
    "installing",
    "installs",
    "installs_staff",
    "inventory",
    "jobs",
    "partner_erasures",
    "policies",
    "policy",
    "requests",
    "staff",
]
