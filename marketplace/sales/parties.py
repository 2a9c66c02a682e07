"""Whose money it is. Nobody decides about money of an organization that they belong to, be they
finance, an admin or the owner of the platform: the policies of the money ask here.

What identity/own_partner.py is for services, by the actor's own memberships and without a query,
so that a list can ask for each of its rows.
"""

from billing.models import Earning, Order, OrderLine
from marketplace.core.permissions import Actor


def organizations_of(actor: Actor) -> frozenset[int]:
    """The organizations whose money the actor does not decide about. The platform itself does not
    count: all of its finance people are members of it."""
    return frozenset(
        each.organization_id for each in actor.organizations if each.organization_kind != "platform"
    )


def is_party(actor: Actor, *organization_ids: int | None) -> bool:
    """Whether the actor is a member, in any role, of one of these organizations."""
    return not organizations_of(actor).isdisjoint(organization_ids)


def parties_of_order(order: Order) -> set[int | None]:
    """Who has a part in an order: the buyer, and each line's publisher, reseller and affiliate."""
    found: set[int | None] = {order.organization_id}
    for line in order.lines:
        found |= _sellers(line)
    return found


def parties_of_earning(earning: Earning) -> set[int | None]:
    """Who has a part in an earning: whose it is, and everybody else of its line."""
    line = earning.line
    return {earning.partner_id, line.order.organization_id} | _sellers(line)


def _sellers(line: OrderLine) -> set[int | None]:
    return {line.publisher_id, line.reseller_id, line.affiliate_organization_id}
