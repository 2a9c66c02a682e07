"""Who runs the payouts: finance people of the platform. Approving takes a second person, which
the service sees to: it knows who computed. Nobody decides about an organization of their own."""

from typing import Any

from billing.models import Payout
from marketplace.core.permissions import Actor, rule
from marketplace.identity.models import Organization
from marketplace.sales.parties import is_party


@rule("payouts.read")
def may_read_payouts(actor: Actor, _resource: Any = None) -> bool:
    """Finance people of the platform."""
    return actor.is_staff_as("finance")


@rule("payouts.run")
def may_run_payouts(actor: Actor, _resource: Any = None) -> bool:
    """The same people compute, approve, pay and cancel runs."""
    return actor.is_staff_as("finance")


@rule("payout.handle")
def may_handle_payout(actor: Actor, payout: Payout) -> bool:
    """The same people try one payout again, cancel it or take it back; not one to themselves."""
    return actor.is_staff_as("finance") and not is_party(actor, payout.partner_id)


@rule("payout_limits.manage")
def may_manage_limits(actor: Actor, partner: Organization) -> bool:
    """The same people freeze a partner's payouts and set its cap; not those of their own."""
    return actor.is_staff_as("finance") and not is_party(actor, partner.id)
