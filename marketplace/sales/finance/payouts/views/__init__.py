"""The staff's pages of payout runs."""

from marketplace.sales.finance.payouts.views import (  # noqa: F401 - they add their routes
    partners,
    payout,
    run,
    runs,
)
from marketplace.sales.finance.payouts.views.blueprint import blueprint

__all__ = ["blueprint"]
