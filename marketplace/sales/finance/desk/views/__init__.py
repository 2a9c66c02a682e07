"""The desk's views; importing them registers their routes."""

from marketplace.sales.finance.desk import policies
from marketplace.sales.finance.desk.views import (
    disputes,
    fees,
    ledger,
    objections,
    orders,
    overview,
    receivables,
    refunds,
)
from marketplace.sales.finance.desk.views.blueprint import finance

__all__ = [
    "disputes",
    "fees",
    "finance",
    "ledger",
    "objections",
    "orders",
    "overview",
    "policies",
    "receivables",
    "refunds",
]
