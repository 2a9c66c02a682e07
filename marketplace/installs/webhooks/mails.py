"""Letters to a partner about an endpoint that fails."""

from flask import current_app

from marketplace.catalogue.engagement.queries.people import member_addresses
from marketplace.core.mail import send_mail
from marketplace.identity.models import Role
from marketplace.installs.models import WebhookEndpoint

TOLD = (Role.OWNER, Role.ADMIN, Role.DEVELOPER)


def tell_failing(endpoint: WebhookEndpoint) -> None:
    """It has failed for a day; there is time to act."""
    _send(
        endpoint,
        "failing",
        "A webhook endpoint is failing",
        f"Your endpoint {endpoint.url} has answered none of our events since "
        f"{_moment(endpoint)}.\n\n"
        "We go on trying. Events that fail for about three days are given up, and the endpoint "
        "is disabled then.\n\n"
        f"What it answered: {_page(endpoint)}\n",
    )


def tell_disabled(endpoint: WebhookEndpoint) -> None:
    """It was disabled because of how it answered."""
    _send(
        endpoint,
        "disabled",
        "A webhook endpoint was disabled",
        f"We stopped sending events to {endpoint.url}.\n\n{endpoint.disabled_reason}\n\n"
        "When it works again, enable it; you can have everything sent that it missed: "
        f"{_page(endpoint)}\n",
    )


def _send(endpoint: WebhookEndpoint, what: str, subject: str, text: str) -> None:
    since = endpoint.disabled_at or endpoint.failing_since
    for address in member_addresses(endpoint.organization_id, TOLD):
        send_mail(
            address,
            subject,
            f"Hello,\n\n{text}",
            dedupe_key=f"{what}:{endpoint.public_id}:{since:%Y%m%d%H%M%S}:{address}"[:150],
        )


def _moment(endpoint: WebhookEndpoint) -> str:
    since = endpoint.failing_since
    return f"{since.day} {since:%b %Y, %H:%M} UTC" if since is not None else "then"


def _page(endpoint: WebhookEndpoint) -> str:
    return f"{current_app.config['PUBLIC_URL']}/partner/webhooks/{endpoint.public_id}"
