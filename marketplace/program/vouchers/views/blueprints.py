"""The blueprints, and the rule that nothing of them is kept in a cache."""

from flask import Blueprint, Response

vouchers = Blueprint("vouchers", __name__)
vouchers_staff = Blueprint("vouchers_staff", __name__)


@vouchers.after_request
@vouchers_staff.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds no credit and no token in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
