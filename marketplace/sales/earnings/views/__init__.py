"""The pages of a partner's money, below /partner."""

import marketplace.sales.earnings.views.account
import marketplace.sales.earnings.views.home
import marketplace.sales.earnings.views.line
import marketplace.sales.earnings.views.payouts
import marketplace.sales.earnings.views.statements  # noqa: F401 - they add their routes
from marketplace.sales.earnings.views.blueprint import blueprint

__all__ = ["blueprint"]
