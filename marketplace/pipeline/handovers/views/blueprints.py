"""The blueprint, and the rule that nothing of it is kept in a cache."""

from flask import Blueprint, Response

handovers = Blueprint("handovers", __name__)


@handovers.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache, and the link's
    token goes nowhere."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response
