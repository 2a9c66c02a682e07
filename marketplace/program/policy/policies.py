"""Who may read, edit and publish the policy."""

from marketplace.core.permissions import Actor, rule


@rule("policy.read")
def may_read_policy(actor: Actor, _resource: object = None) -> bool:
    """All staff: they answer for it."""
    return actor.is_staff


@rule("policy.edit")
def may_edit_policy(actor: Actor, _resource: object = None) -> bool:
    """Program managers, owners and admins write drafts."""
    return actor.is_staff_as("program_manager")


@rule("policy.publish")
def may_publish_policy(actor: Actor, _resource: object = None) -> bool:
    """The same people publish them."""
    return actor.is_staff_as("program_manager")
