"""Who sees a partner's money: its owners, admins and finance people, and nobody else's."""

from typing import Any

from billing.models import Earning, Objection, Payout
from marketplace.core.permissions import Actor, rule

MONEY_ROLES = frozenset({"owner", "admin", "finance"})


def _looks_after_money(actor: Actor) -> bool:
    active = actor.organization
    return (
        active is not None and active.organization_kind == "partner" and active.role in MONEY_ROLES
    )


@rule("earnings.read")
def may_read_earnings(actor: Actor, _resource: Any = None) -> bool:
    """Owners, admins and finance people of the partner organization that they act for."""
    return _looks_after_money(actor)


@rule("payout_account.manage")
def may_manage_account(actor: Actor, _resource: Any = None) -> bool:
    """The same people choose where the money goes."""
    return _looks_after_money(actor)


def _is_own(actor: Actor, partner_id: int) -> bool:
    return actor.organization_id == partner_id and _looks_after_money(actor)


@rule("earning.read")
def may_read_earning(actor: Actor, earning: Any) -> bool:
    """The people of the partner who earned it."""
    return isinstance(earning, Earning) and _is_own(actor, earning.partner_id)


@rule("payout.read")
def may_read_payout(actor: Actor, payout: Any) -> bool:
    """The people of the partner who is paid."""
    return isinstance(payout, Payout) and _is_own(actor, payout.partner_id)


@rule("objection.withdraw")
def may_withdraw(actor: Actor, objection: Any) -> bool:
    """The people of the partner who asked; once it is answered, the service says so."""
    return isinstance(objection, Objection) and _is_own(actor, objection.partner_id)
