"""The views, a file per subject. Importing this package mounts them."""

from marketplace.program.policy import policies
from marketplace.program.policy.views import drafts, items, overview, publishing, versions
from marketplace.program.policy.views.blueprints import policy_staff, program

__all__ = [
    "drafts",
    "items",
    "overview",
    "policies",
    "policy_staff",
    "program",
    "publishing",
    "versions",
]
