"""Who may look at what here: people of a partner at their own, the staff by their roles."""

from marketplace.core.errors import NotFoundError
from marketplace.core.permissions import Actor, MembershipInfo, current_actor

# Who of a partner deals with its money.
MONEY_ROLES = frozenset({"owner", "admin", "finance"})
# Who of the staff runs the program.
PROGRAM_ROLES = ("program_manager",)


def acts_for_partner(actor: Actor) -> bool:
    """Whether the person acts for a partner."""
    return actor.organization is not None and actor.organization.organization_kind == "partner"


def sees_money(actor: Actor) -> bool:
    """Whether the person acts for a partner in a role that deals with its money."""
    return (
        acts_for_partner(actor)
        and actor.organization is not None
        and actor.organization.role in MONEY_ROLES
    )


def active_partner() -> MembershipInfo:
    """The partner that the person acts for. Raises NotFoundError without one."""
    active = current_actor().organization
    if active is None or active.organization_kind != "partner":
        raise NotFoundError
    return active
