"""The blueprints, and the rule that nothing of them is kept in a cache."""

from flask import Blueprint, Response

certification = Blueprint("certification", __name__)
certification_staff = Blueprint("certification_staff", __name__)


@certification.after_request
@certification_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
