"""The two blueprints of this area."""

from flask import Blueprint, Response

selling = Blueprint("selling", __name__, url_prefix="/partner")
selling_staff = Blueprint("selling_staff", __name__, url_prefix="/staff/finance")


@selling.after_request
@selling_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
