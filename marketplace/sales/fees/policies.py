"""Who of a partner pays its fees."""

from marketplace.core.permissions import Actor, rule

PAYERS = frozenset({"owner", "admin", "finance"})


@rule("program_fees.pay")
def may_pay_fees(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins and finance of the partner they act for."""
    organization = actor.organization
    return (
        organization is not None
        and organization.organization_kind == "partner"
        and organization.role in PAYERS
    )
