"""The blueprint of resale."""

from flask import Blueprint, Response

resale = Blueprint("resale", __name__)


@resale.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
