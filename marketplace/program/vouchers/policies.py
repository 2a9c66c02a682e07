"""Who issues vouchers, and who redeems them."""

from marketplace.core.permissions import Actor, rule

REDEEMERS = frozenset({"owner", "admin", "finance"})


@rule("vouchers.redeem")
def may_redeem(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins and finance of a partner."""
    organization = actor.organization
    return (
        organization is not None
        and organization.organization_kind == "partner"
        and organization.role in REDEEMERS
    )


@rule("vouchers.issue")
def may_issue(actor: Actor, _resource: object = None) -> bool:
    """Program managers, finance and admins."""
    return actor.is_staff_as("program_manager", "finance")
