"""The blueprint, and how what a URL names is found."""

from typing import Any

from flask import Blueprint

from marketplace.core.errors import SignInRequiredError
from marketplace.core.permissions import authorize, current_actor
from marketplace.installs.models import WebhookEndpoint
from marketplace.installs.webhooks import policies, queries

blueprint = Blueprint("webhooks", __name__, url_prefix="/partner/webhooks")
PERMISSION_RULES = policies.__name__


def own_endpoint(endpoint_id: str, **_rest: Any) -> WebhookEndpoint | None:
    """The endpoint of a URL, for people of its organization; to others it does not exist.

    Raises SignInRequiredError before anything is looked up, NotFoundError for others.
    """
    actor = current_actor()
    if not actor.is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    endpoint = queries.find_endpoint(endpoint_id)
    if endpoint is not None:
        authorize(actor, "webhook.read", endpoint, hidden=True)
    return endpoint
