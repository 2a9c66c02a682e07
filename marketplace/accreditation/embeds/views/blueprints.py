"""The blueprint, and the rule that nothing of them is kept in a cache."""

from flask import Blueprint, Response

embeds = Blueprint("embeds", __name__)


@embeds.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of an organization in its cache. A public page
    says otherwise by itself."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response
