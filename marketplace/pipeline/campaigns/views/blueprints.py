"""The blueprints, and the rule that nothing of them is kept in a cache."""

from flask import Blueprint, Response

campaigns = Blueprint("campaigns", __name__)
campaigns_staff = Blueprint("campaigns_staff", __name__)


@campaigns.after_request
@campaigns_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
