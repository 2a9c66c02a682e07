"""The views; importing them registers their routes."""

from marketplace.sales.finance.reconciliation import policies
from marketplace.sales.finance.reconciliation.views import (
    bank,
    bank_rules,
    breaks,
    months,
    overview,
)
from marketplace.sales.finance.reconciliation.views.blueprint import reconciliation

__all__ = ["bank", "bank_rules", "breaks", "months", "overview", "policies", "reconciliation"]
