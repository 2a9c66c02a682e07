"""The blueprints, and the rule that nothing of them is kept in a cache."""

from flask import Blueprint, Response

courses = Blueprint("courses", __name__)
courses_staff = Blueprint("courses_staff", __name__)


@courses.after_request
@courses_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
