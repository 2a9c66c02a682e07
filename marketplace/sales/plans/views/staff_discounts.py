"""The platform's own discounts, which it funds."""

from flask.typing import ResponseReturnValue

from billing.models import Discount, PromotionCode
from marketplace.core.permissions import needs
from marketplace.sales.plans.queries import find_code, find_discount
from marketplace.sales.plans.views import discount_pages as pages
from marketplace.sales.plans.views.blueprints import selling_staff

_PATH = "/discounts/<discount_id>"
DESK = pages.Desk("selling_staff", "layouts/staff.html", lambda: None)


@selling_staff.get("/discounts")
@needs("platform_discounts.manage")
def discounts() -> ResponseReturnValue:
    """Those of the platform."""
    return pages.index(DESK)


@selling_staff.get("/discounts/new")
@needs("platform_discounts.manage")
def discount_new() -> ResponseReturnValue:
    """The form of a new one."""
    return pages.new(DESK)


@selling_staff.post("/discounts/new")
@needs("platform_discounts.manage")
def discount_create() -> ResponseReturnValue:
    """Give it."""
    return pages.create(DESK)


@selling_staff.get(_PATH)
@needs("platform_discount.manage", load=find_discount, name="discount")
def discount(discount: Discount) -> ResponseReturnValue:
    """One with its codes."""
    return pages.show(DESK, discount)


@selling_staff.get(f"{_PATH}/edit")
@needs("platform_discount.manage", load=find_discount, name="discount")
def discount_edit(discount: Discount) -> ResponseReturnValue:
    """The form with what counts now."""
    return pages.edit(DESK, discount)


@selling_staff.post(f"{_PATH}/edit")
@needs("platform_discount.manage", load=find_discount, name="discount")
def discount_save(discount: Discount) -> ResponseReturnValue:
    """Change it for orders to come."""
    return pages.save(DESK, discount)


@selling_staff.get(f"{_PATH}/archiving")
@needs("platform_discount.manage", load=find_discount, name="discount")
def discount_archiving(discount: Discount) -> ResponseReturnValue:
    """Ask before it counts no more."""
    return pages.archiving(DESK, discount)


@selling_staff.post(f"{_PATH}/archiving")
@needs("platform_discount.manage", load=find_discount, name="discount")
def discount_archive(discount: Discount) -> ResponseReturnValue:
    """It counts no more."""
    return pages.archive(DESK, discount)


@selling_staff.post(f"{_PATH}/codes")
@needs("platform_discount.manage", load=find_discount, name="discount")
def discount_add_code(discount: Discount) -> ResponseReturnValue:
    """Another code."""
    return pages.add_code(DESK, discount)


@selling_staff.post(f"{_PATH}/codes/<int:code_id>/disabling")
@needs("platform_code.manage", load=find_code, name="code")
def discount_disable_code(code: PromotionCode) -> ResponseReturnValue:
    """Take a code out of use."""
    return pages.switch_code(DESK, code, is_on=False)


@selling_staff.post(f"{_PATH}/codes/<int:code_id>/enabling")
@needs("platform_code.manage", load=find_code, name="code")
def discount_enable_code(code: PromotionCode) -> ResponseReturnValue:
    """Let it be used again."""
    return pages.switch_code(DESK, code, is_on=True)
