"""The views, a file per side. Importing this package mounts them."""

from marketplace.program.vouchers import jobs, policies
from marketplace.program.vouchers.views import partner, staff
from marketplace.program.vouchers.views.blueprints import vouchers, vouchers_staff

__all__ = ["jobs", "partner", "policies", "staff", "vouchers", "vouchers_staff"]
