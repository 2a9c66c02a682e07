"""Who may see, hold, issue and revoke credentials."""

from typing import Any

from marketplace.accreditation.credentials.models import Credential
from marketplace.core.permissions import Actor, rule


@rule("credentials.see")
def may_see_credentials(actor: Actor, _resource: object = None) -> bool:
    """Any member of the partner that they act for."""
    active = actor.organization
    return active is not None and active.organization_kind == "partner"


@rule("credentials.own")
def may_see_own(actor: Actor, _resource: object = None) -> bool:
    """Anybody their own."""
    return actor.is_authenticated


@rule("credential.hold")
def may_hold(actor: Actor, credential: Any) -> bool:
    """The person whose it is; of an organization's credential, its people."""
    if not isinstance(credential, Credential):
        return False
    if credential.user_id is not None:
        return actor.user_id == credential.user_id
    return actor.role_in(credential.organization_id) is not None


@rule("credential.publish")
def may_publish(actor: Actor, credential: Any) -> bool:
    """The person decides whether their name is shown; an organization's is public anyway."""
    return (
        isinstance(credential, Credential)
        and credential.user_id is not None
        and actor.user_id == credential.user_id
    )


@rule("credentials.manage")
def may_manage_credentials(actor: Actor, _resource: object = None) -> bool:
    """The program's staff."""
    return actor.is_staff_as("program_manager")
