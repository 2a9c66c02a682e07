"""Who sees, claims and fulfils benefits."""

from typing import Any

from marketplace.core.permissions import Actor, rule
from marketplace.program.benefits.models import BenefitClaim

CLAIMERS = frozenset({"owner", "admin", "editor", "developer", "finance"})


def _role_in_partner(actor: Actor) -> str | None:
    active = actor.organization
    return active.role if active is not None and active.organization_kind == "partner" else None


@rule("benefits.read")
def may_read_benefits(actor: Actor, _resource: object = None) -> bool:
    """Everybody who works for a partner."""
    return _role_in_partner(actor) is not None


@rule("benefits.claim")
def may_claim(actor: Actor, _resource: object = None) -> bool:
    """Members of a partner other than viewers."""
    return _role_in_partner(actor) in CLAIMERS


@rule("benefit_claim.withdraw")
def may_withdraw(actor: Actor, claim: Any) -> bool:
    """The same people, of their own organization's claims."""
    return (
        isinstance(claim, BenefitClaim)
        and claim.organization_id == actor.organization_id
        and may_claim(actor, None)
    )


@rule("benefits.fulfil")
def may_fulfil(actor: Actor, _resource: object = None) -> bool:
    """Program managers and support, owners and admins of the staff."""
    return actor.is_staff_as("program_manager", "support")
