"""Who may run programs, be an affiliate, and decide what is held."""

from typing import Any

from billing.models import Affiliate, AffiliateLink, AffiliateProgram, Earning
from marketplace.core.permissions import Actor, rule
from marketplace.sales.parties import is_party, parties_of_earning

# Who of a partner deals with its money.
MONEY_ROLES = frozenset({"owner", "admin", "finance"})


def acts_for_partner(actor: Actor) -> bool:
    """Whether the person acts for a partner, in a role that deals with money."""
    active = actor.organization
    return (
        active is not None and active.organization_kind == "partner" and active.role in MONEY_ROLES
    )


@rule("affiliate_programs.use")
def may_run_programs(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins and finance of a partner."""
    return acts_for_partner(actor)


@rule("affiliate_program.manage")
def may_manage_program(actor: Actor, program: Any) -> bool:
    """The same, of the publisher whose program it is and for which they act."""
    return (
        acts_for_partner(actor)
        and isinstance(program, AffiliateProgram)
        and program.publisher_id == actor.organization_id
    )


@rule("affiliate.decide")
def may_decide_affiliate(actor: Actor, affiliate: Any) -> bool:
    """Whoever manages the program that it is an affiliate of."""
    return isinstance(affiliate, Affiliate) and may_manage_program(actor, affiliate.program)


@rule("affiliate.join")
def may_join(actor: Actor, _program: object = None) -> bool:
    """Owners, admins and finance of any partner; only partners are paid out."""
    return acts_for_partner(actor)


@rule("affiliate.manage")
def may_manage_affiliate(actor: Actor, affiliate: Any) -> bool:
    """The affiliate's own people who deal with money."""
    return (
        acts_for_partner(actor)
        and isinstance(affiliate, Affiliate)
        and affiliate.organization_id == actor.organization_id
    )


@rule("affiliate_link.manage")
def may_manage_link(actor: Actor, link: Any) -> bool:
    """The same, of the affiliate whose link it is."""
    return isinstance(link, AffiliateLink) and may_manage_affiliate(actor, link.affiliate)


@rule("platform_programs.manage")
def may_manage_platform_programs(actor: Actor, resource: Any = None) -> bool:
    """Finance of the platform, which bears what these programs pay; not about an affiliate that
    they are members of."""
    own = isinstance(resource, Affiliate) and is_party(actor, resource.organization_id)
    return actor.is_staff_as("finance") and not own


@rule("holds.handle")
def may_handle_holds(actor: Actor, earning: Any = None) -> bool:
    """Finance decides what is held for fraud; not where an organization of theirs has a part, be
    it the affiliate, the publisher who gets back what is voided, or the customer."""
    own = isinstance(earning, Earning) and is_party(actor, *parties_of_earning(earning))
    return actor.is_staff_as("finance") and not own
