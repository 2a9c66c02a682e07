"""Who maps hosts."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.program.hosts.models import MappedHost

MANAGERS = frozenset({"owner", "admin"})


def _role_in_partner(actor: Actor) -> str | None:
    active = actor.organization
    return active.role if active is not None and active.organization_kind == "partner" else None


@rule("hosts.read")
def may_read_hosts(actor: Actor, _resource: object = None) -> bool:
    """Everybody who works for a partner sees its domains."""
    return _role_in_partner(actor) is not None


@rule("hosts.request")
def may_request_host(actor: Actor, _resource: object = None) -> bool:
    """Owners and admins of a partner."""
    return _role_in_partner(actor) in MANAGERS


@rule("partner_host.manage")
def may_manage_own_host(actor: Actor, host: Any) -> bool:
    """The same people, of their own organization's hosts."""
    return (
        isinstance(host, MappedHost)
        and host.organization_id is not None
        and host.organization_id == actor.organization_id
        and may_request_host(actor, None)
    )


@rule("hosts.manage")
def may_manage_hosts(actor: Actor, _resource: object = None) -> bool:
    """Program managers, owners and admins of the staff."""
    return actor.is_staff_as("program_manager")
