"""One delivery with its attempts, sending it again, and test events."""

import json

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.installs.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from marketplace.installs.webhooks import queries, retry, signing
from marketplace.installs.webhooks.event_types import EVENT_TYPES
from marketplace.installs.webhooks.services import sending
from marketplace.installs.webhooks.views.blueprint import blueprint, own_endpoint
from marketplace.installs.webhooks.views.endpoints import STATES

MOST_ATTEMPTS, MOST_ROWS = 50, 10_000
# What a person sends: enough for trying things out, too little to bother somebody's server.
BY_HAND = "60 per hour"
TOO_MANY = (
    "You can send 60 test events and repeat 60 deliveries an hour. Wait a little, then try again."
)


@blueprint.post("/<endpoint_id>/test")
@limiter.limit(BY_HAND, key_func=lambda: f"user:{current_actor().user_id}", error_message=TOO_MANY)
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def send_test(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Send a test event."""
    try:
        delivery = sending.send_test_event(current_actor(), endpoint)
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("webhooks.endpoint", endpoint_id=endpoint.public_id), 303)
    flash("A test event is on its way. Load this page again to see what was answered.", "success")
    return redirect(_url(endpoint, delivery), 303)


def _own_delivery(endpoint_id: str, event_id: str) -> WebhookDelivery | None:
    endpoint = own_endpoint(endpoint_id)
    return queries.find_delivery(endpoint.id, event_id) if endpoint is not None else None


@blueprint.get("/<endpoint_id>/deliveries.csv")
@needs("webhook.read", load=own_endpoint, name="endpoint")
def deliveries_csv(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """The endpoint's latest deliveries as a table to keep."""
    rows = db.session.scalars(queries.deliveries(endpoint.id).limit(MOST_ROWS))
    return csv_response(
        "deliveries.csv",
        [
            "event",
            "type",
            "ordering key",
            "state",
            "tries",
            "status",
            "error",
            "happened",
            "delivered",
        ],
        (
            (
                row.event.public_id,
                row.event.type,
                row.ordering_key,
                row.state.value,
                row.attempts,
                row.last_status,
                row.last_error,
                row.event.created_at,
                row.delivered_at,
            )
            for row in rows
        ),
    )


@blueprint.get("/<endpoint_id>/deliveries/<event_id>")
@needs("webhook_delivery.read", load=_own_delivery, name="delivery")
def delivery(delivery: WebhookDelivery) -> ResponseReturnValue:
    """What was sent and what was answered, attempt by attempt."""
    endpoint, event = delivery.endpoint, delivery.event
    body = signing.body_of(event.type, event.created_at, event.data)
    return render_template(
        "webhooks/delivery.html",
        endpoint=endpoint,
        delivery=delivery,
        event=event,
        kind=EVENT_TYPES.get(event.type),
        body=json.dumps(json.loads(body), indent=2, ensure_ascii=False),
        attempts=queries.attempts_of(delivery.id, MOST_ATTEMPTS),
        states=STATES,
        tries_left=retry.MAX_TRIES - delivery.attempts
        if delivery.state is DeliveryState.WAITING
        else 0,
        may_manage=current_actor().can("webhook.manage", endpoint),
    )


@blueprint.post("/<endpoint_id>/deliveries/<event_id>/repetition")
@limiter.limit(BY_HAND, key_func=lambda: f"user:{current_actor().user_id}", error_message=TOO_MANY)
@needs("webhook_delivery.send_again", load=_own_delivery, name="delivery", hidden=False)
def send_again(delivery: WebhookDelivery) -> ResponseReturnValue:
    """Try it once more, now."""
    where = _url(delivery.endpoint, delivery)
    try:
        sending.send_again(current_actor(), delivery)
    except ConflictError as error:
        flash(error.detail, "warning")
    else:
        flash("It is on its way again. Load this page again to see what was answered.", "success")
    return redirect(where, 303)


def _url(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> str:
    return url_for(
        "webhooks.delivery", endpoint_id=endpoint.public_id, event_id=delivery.event.public_id
    )
