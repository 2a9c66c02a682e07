"""The blueprints, and the rule that nothing of them is kept in a cache."""

from flask import Blueprint, Response

program = Blueprint("program", __name__)
policy_staff = Blueprint("policy_staff", __name__)


@program.after_request
@policy_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
