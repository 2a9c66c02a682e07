"""The views, a file per subject. Importing this package mounts them on their blueprints."""

from marketplace.catalogue.engagement import jobs, policies
from marketplace.catalogue.engagement.views import (
    follows,
    my_reviews,
    partner_cases,
    partner_reviews,
    reports,
    reviews,
    staff_cases,
    staff_flags,
    uses,
)
from marketplace.catalogue.engagement.views import requests as request_views
from marketplace.catalogue.engagement.views.blueprints import engagement, requests

__all__ = [
    "engagement",
    "follows",
    "jobs",
    "my_reviews",
    "partner_cases",
    "partner_reviews",
    "policies",
    "reports",
    "request_views",
    "requests",
    "reviews",
    "staff_cases",
    "staff_flags",
    "uses",
]
