"""An endpoint's signing secret: to copy it, and to exchange it."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.installs.models import WebhookEndpoint
from marketplace.installs.webhooks import fingerprints
from marketplace.installs.webhooks.services import endpoints as services
from marketplace.installs.webhooks.signing import MOST_SIGNATURES
from marketplace.installs.webhooks.views.blueprint import blueprint, own_endpoint

ROTATIONS = "10 per hour"


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
    live = services.live_secrets(endpoint)
    return render_template(
        "webhooks/rotation.html",
        endpoint=endpoint,
        ending=live[MOST_SIGNATURES - 1 :],
        seen=fingerprints.of_secrets(live),
    )


@blueprint.post("/<endpoint_id>/secret/rotation")
@limiter.limit(
    ROTATIONS,
    key_func=lambda: f"user:{current_actor().user_id}",
    error_message="You can rotate secrets 10 times an hour. Wait a little, then try again.",
)
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def rotate(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Exchange it; the old one signs as well for a day."""
    try:
        services.rotate_secret(current_actor(), endpoint, seen=request.form.get("seen", ""))
    except services.StaleError as error:
        flash(error.detail, "info")
        return redirect(url_for("webhooks.secret", endpoint_id=endpoint.public_id), 303)
    flash("There is a new secret. For 24 hours, requests carry both signatures.", "success")
    return redirect(url_for("webhooks.secret", endpoint_id=endpoint.public_id), 303)
