"""The views, a file per subject. Importing this package mounts them."""

from marketplace.identity.countries import COUNTRIES
from marketplace.program.applications import jobs, models, policies
from marketplace.program.applications.views import (
    partner_applications,
    partner_plans,
    partner_rounds,
    staff_application,
    staff_places,
    staff_plans,
    staff_queue,
    staff_rounds,
    status,
)
from marketplace.program.applications.views.blueprints import applications, applications_staff

# The macro for questions has no context of its own.
applications.add_app_template_global(lambda: COUNTRIES, "answer_countries")

__all__ = [
    "applications",
    "applications_staff",
    "jobs",
    "models",
    "partner_applications",
    "partner_plans",
    "partner_rounds",
    "policies",
    "staff_application",
    "staff_places",
    "staff_plans",
    "staff_queue",
    "staff_rounds",
    "status",
]
