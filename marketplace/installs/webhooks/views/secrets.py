"""An endpoint's signing secret: to copy it, and to exchange it."""

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.permissions import current_actor, needs
from marketplace.installs.models import WebhookEndpoint
from marketplace.installs.webhooks.services import endpoints as services
from marketplace.installs.webhooks.views.blueprint import blueprint, own_endpoint


@blueprint.get("/<endpoint_id>/secret")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def secret(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """The secrets that sign now. Never kept by a browser or a proxy."""
    rows = [(row, services.reveal(row)) for row in services.live_secrets(endpoint)]
    response = make_response(
        render_template("webhooks/secret.html", endpoint=endpoint, secrets=rows)
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/<endpoint_id>/secret/rotation")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def rotation(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """The question before the secret is exchanged."""
    return render_template("webhooks/rotation.html", endpoint=endpoint)


@blueprint.post("/<endpoint_id>/secret/rotation")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def rotate(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Exchange it; the old one signs as well for a day."""
    services.rotate_secret(current_actor(), endpoint)
    flash("There is a new secret. For 24 hours, requests carry both signatures.", "success")
    return redirect(url_for("webhooks.secret", endpoint_id=endpoint.public_id), 303)
