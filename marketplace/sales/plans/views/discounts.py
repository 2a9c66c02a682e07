"""A partner's discounts."""

from dataclasses import replace

from flask.typing import ResponseReturnValue

from billing.models import Discount, PromotionCode
from marketplace.core.permissions import current_actor, needs
from marketplace.sales.plans.queries import find_code, find_discount
from marketplace.sales.plans.views import discount_pages as pages
from marketplace.sales.plans.views.blueprints import selling

_PATH = "/discounts/<discount_id>"
DESK = pages.Desk("selling", "layouts/portal.html", lambda: current_actor().organization_id or 0)


@selling.get("/discounts")
@needs("discounts.use")
def discounts() -> ResponseReturnValue:
    """Those of the publisher."""
    return pages.index(DESK)


@selling.get("/discounts/new")
@needs("discounts.use")
def discount_new() -> ResponseReturnValue:
    """The form of a new one."""
    return pages.new(DESK)


@selling.post("/discounts/new")
@needs("discounts.use")
def discount_create() -> ResponseReturnValue:
    """Give it."""
    return pages.create(DESK)


@selling.get(_PATH)
@needs("discount.manage", load=find_discount, name="discount")
def discount(discount: Discount) -> ResponseReturnValue:
    """One with its codes."""
    return pages.show(_desk_of(discount), discount)


@selling.get(f"{_PATH}/edit")
@needs("discount.manage", load=find_discount, name="discount")
def discount_edit(discount: Discount) -> ResponseReturnValue:
    """The form with what counts now."""
    return pages.edit(_desk_of(discount), discount)


@selling.post(f"{_PATH}/edit")
@needs("discount.manage", load=find_discount, name="discount")
def discount_save(discount: Discount) -> ResponseReturnValue:
    """Change it for orders to come."""
    return pages.save(_desk_of(discount), discount)


@selling.get(f"{_PATH}/archiving")
@needs("discount.manage", load=find_discount, name="discount")
def discount_archiving(discount: Discount) -> ResponseReturnValue:
    """Ask before it counts no more."""
    return pages.archiving(_desk_of(discount), discount)


@selling.post(f"{_PATH}/archiving")
@needs("discount.manage", load=find_discount, name="discount")
def discount_archive(discount: Discount) -> ResponseReturnValue:
    """It counts no more."""
    return pages.archive(_desk_of(discount), discount)


@selling.post(f"{_PATH}/codes")
@needs("discount.manage", load=find_discount, name="discount")
def discount_add_code(discount: Discount) -> ResponseReturnValue:
    """Another code."""
    return pages.add_code(_desk_of(discount), discount)


@selling.post(f"{_PATH}/codes/<int:code_id>/disabling")
@needs("promotion_code.manage", load=find_code, name="code")
def discount_disable_code(code: PromotionCode) -> ResponseReturnValue:
    """Take a code out of use."""
    return pages.switch_code(_desk_of(code.discount), code, is_on=False)


@selling.post(f"{_PATH}/codes/<int:code_id>/enabling")
@needs("promotion_code.manage", load=find_code, name="code")
def discount_enable_code(code: PromotionCode) -> ResponseReturnValue:
    """Let it be used again."""
    return pages.switch_code(_desk_of(code.discount), code, is_on=True)


def _desk_of(discount: Discount) -> pages.Desk:
    """The desk of the discount's publisher, whichever organization is active."""
    return replace(DESK, publisher_id=lambda: discount.publisher_id)
