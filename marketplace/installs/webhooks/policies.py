"""Who may do what with a partner's webhooks."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.installs.models import WebhookDelivery, WebhookEndpoint

MANAGERS = frozenset({"owner", "admin", "developer"})


def _partner_role(actor: Actor) -> str | None:
    """The role in the active organization if that is a partner."""
    active = actor.organization
    return active.role if active is not None and active.organization_kind == "partner" else None


@rule("webhooks.read")
def may_read_webhooks(actor: Actor, _resource: Any = None) -> bool:
    """Everybody in the partner organization that they act for."""
    return _partner_role(actor) is not None


@rule("webhook.create")
def may_create(actor: Actor, _resource: Any = None) -> bool:
    """Owners, admins and developers of the partner organization that they act for."""
    return _partner_role(actor) in MANAGERS


@rule("webhook.read")
def may_read(actor: Actor, endpoint: Any) -> bool:
    """Everybody in the endpoint's organization, while acting for it."""
    return (
        isinstance(endpoint, WebhookEndpoint)
        and actor.organization_id == endpoint.organization_id
        and actor.role_in(endpoint.organization_id) is not None
    )


@rule("webhook.manage")
def may_manage(actor: Actor, endpoint: Any) -> bool:
    """Owners, admins and developers of the endpoint's organization. The secret is theirs too."""
    return may_read(actor, endpoint) and actor.role_in(endpoint.organization_id) in MANAGERS


@rule("webhook_delivery.read")
def may_read_delivery(actor: Actor, delivery: Any) -> bool:
    """Whoever may read its endpoint."""
    return isinstance(delivery, WebhookDelivery) and may_read(actor, delivery.endpoint)


@rule("webhook_delivery.send_again")
def may_send_again(actor: Actor, delivery: Any) -> bool:
    """Whoever may manage its endpoint."""
    return isinstance(delivery, WebhookDelivery) and may_manage(actor, delivery.endpoint)
