"""The views, a file per subject. Importing this package mounts them."""

from marketplace.accreditation.courses import jobs, policies
from marketplace.accreditation.courses.views import learning, overseeing, quiz, staff, trainers
from marketplace.accreditation.courses.views.blueprints import courses, courses_staff

__all__ = [
    "courses",
    "courses_staff",
    "jobs",
    "learning",
    "overseeing",
    "policies",
    "quiz",
    "staff",
    "trainers",
]
