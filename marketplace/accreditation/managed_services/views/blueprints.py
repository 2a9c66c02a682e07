"""The blueprints, and the rule that nothing of them is kept in a cache."""

from flask import Blueprint, Response

managed_services = Blueprint("managed_services", __name__)
managed_services_staff = Blueprint("managed_services_staff", __name__)


@managed_services.after_request
@managed_services_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
