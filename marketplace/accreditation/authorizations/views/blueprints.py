"""The blueprints, and the rule that nothing of them is kept in a cache."""

from flask import Blueprint, Response

authorizations = Blueprint("authorizations", __name__)
authorizations_staff = Blueprint("authorizations_staff", __name__)


@authorizations.after_request
@authorizations_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
