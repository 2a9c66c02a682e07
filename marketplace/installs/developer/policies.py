"""Who may do what with a partner's apps, keys and sandbox."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.installs.developer.key_scopes import KEY_MANAGERS
from marketplace.installs.models import AccessKey, App

APP_MANAGERS = frozenset({"owner", "admin", "developer"})


def _partner_role(actor: Actor) -> str | None:
    """The role in the active organization if that is a partner."""
    active = actor.organization
    return active.role if active is not None and active.organization_kind == "partner" else None


@rule("developer.use")
def may_use(actor: Actor, _resource: Any = None) -> bool:
    """Everybody in the partner organization that they act for."""
    return _partner_role(actor) is not None


@rule("app.create")
def may_create_app(actor: Actor, _resource: Any = None) -> bool:
    """Owners, admins and developers of the partner organization that they act for."""
    return _partner_role(actor) in APP_MANAGERS


@rule("app.read")
def may_read_app(actor: Actor, app: Any) -> bool:
    """Everybody in the app's organization, while acting for it."""
    return (
        isinstance(app, App)
        and actor.organization_id == app.publisher_id
        and actor.role_in(app.publisher_id) is not None
    )


@rule("app.manage")
def may_manage_app(actor: Actor, app: Any) -> bool:
    """Owners, admins and developers of the app's organization."""
    return may_read_app(actor, app) and actor.role_in(app.publisher_id) in APP_MANAGERS


@rule("key.create")
def may_create_key(actor: Actor, _resource: Any = None) -> bool:
    """Everybody in a partner may make a key of their own: it can do no more than they."""
    return _partner_role(actor) is not None


@rule("key.create_for_organization")
def may_create_organization_key(actor: Actor, _resource: Any = None) -> bool:
    """A key that outlives its maker is for owners and admins to make."""
    return _partner_role(actor) in KEY_MANAGERS


@rule("key.revoke")
def may_revoke_key(actor: Actor, key: Any) -> bool:
    """One's own keys; owners and admins revoke all of their organization's."""
    if not isinstance(key, AccessKey) or actor.organization_id != key.organization_id:
        return False
    role = actor.role_in(key.organization_id)
    return role in KEY_MANAGERS or (role is not None and key.user_id == actor.user_id)


@rule("sandbox.manage")
def may_manage_sandbox(actor: Actor, _resource: Any = None) -> bool:
    """Owners, admins and developers of the partner organization that they act for."""
    return _partner_role(actor) in APP_MANAGERS
