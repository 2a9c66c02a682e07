"""Who sees the staff's own pages."""

from marketplace.core.permissions import Actor, rule


@rule("staff.home")
def may_see_staff_home(actor: Actor, _resource: object = None) -> bool:
    """All staff."""
    return actor.is_staff


@rule("staff.jobs")
def may_handle_jobs(actor: Actor, _resource: object = None) -> bool:
    """Support, and owners and admins."""
    return actor.is_staff_as("support")
