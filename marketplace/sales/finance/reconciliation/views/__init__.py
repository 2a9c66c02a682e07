"""The views; importing them registers their routes."""

from marketplace.sales.finance.reconciliation import policies
from marketplace.sales.finance.reconciliation.views import bank, breaks, months, overview
from marketplace.sales.finance.reconciliation.views.blueprint import reconciliation

__all__ = ["bank", "breaks", "months", "overview", "policies", "reconciliation"]
