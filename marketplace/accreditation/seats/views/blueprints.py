"""The blueprint, and the rule that nothing of it is kept in a cache."""

from flask import Blueprint, Response

seats = Blueprint("seats", __name__)


@seats.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of a person in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
