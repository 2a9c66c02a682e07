"""Who sets prices, discounts and taxes."""

from typing import Any

from billing.models import Discount, Plan, PromotionCode
from marketplace.catalogue.models import Listing
from marketplace.core.permissions import Actor, rule

# Who of an organization deals with its money.
MONEY_ROLES = frozenset({"owner", "admin", "finance"})


def acts_for_publisher(actor: Actor, publisher_id: int | None) -> bool:
    """Whether the person deals with the money of this publisher."""
    return publisher_id is not None and actor.role_in(publisher_id) in MONEY_ROLES


@rule("plans.read")
def may_read_plans(actor: Actor, _resource: object = None) -> bool:
    """Owners, admins and finance of the partner for which they act."""
    active = actor.organization
    return (
        active is not None and active.organization_kind == "partner" and active.role in MONEY_ROLES
    )


@rule("listing.sell")
def may_sell(actor: Actor, listing: Any) -> bool:
    """The same, of the listing's publisher."""
    return isinstance(listing, Listing) and acts_for_publisher(actor, listing.publisher_id)


@rule("plan.manage")
def may_manage_plan(actor: Actor, plan: Any) -> bool:
    """The same, of the plan's publisher."""
    return isinstance(plan, Plan) and acts_for_publisher(actor, plan.publisher_id)


@rule("discounts.use")
def may_use_discounts(actor: Actor, _resource: object = None) -> bool:
    """Whoever sets plans gives discounts."""
    return may_read_plans(actor, None)


@rule("discount.manage")
def may_manage_discount(actor: Actor, discount: Any) -> bool:
    """The same, of the discount's publisher. The platform's own are the staff's."""
    return isinstance(discount, Discount) and acts_for_publisher(actor, discount.publisher_id)


@rule("platform_discounts.manage")
def may_manage_platform_discounts(actor: Actor, _resource: object = None) -> bool:
    """Finance, and whoever looks after partners: the platform funds them."""
    return actor.is_staff_as("finance", "program_manager")


@rule("platform_discount.manage")
def may_manage_platform_discount(actor: Actor, discount: Any) -> bool:
    """The same, of a discount that is no publisher's."""
    return (
        isinstance(discount, Discount)
        and discount.publisher_id is None
        and may_manage_platform_discounts(actor, None)
    )


@rule("taxes.manage")
def may_manage_taxes(actor: Actor, _resource: object = None) -> bool:
    """Finance."""
    return actor.is_staff_as("finance")


@rule("promotion_code.manage")
def may_manage_code(actor: Actor, code: Any) -> bool:
    """Whoever manages its discount."""
    return isinstance(code, PromotionCode) and may_manage_discount(actor, code.discount)


@rule("platform_code.manage")
def may_manage_platform_code(actor: Actor, code: Any) -> bool:
    """Likewise, of a discount that is no publisher's."""
    return isinstance(code, PromotionCode) and may_manage_platform_discount(actor, code.discount)
