"""The blueprints, and the rule that nothing of them is kept in a cache."""

from flask import Blueprint, Response

joining = Blueprint("joining", __name__)
onboarding = Blueprint("onboarding", __name__)
onboarding_staff = Blueprint("onboarding_staff", __name__)


@joining.after_request
@onboarding.after_request
@onboarding_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
