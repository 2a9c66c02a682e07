"""The desk's views; importing them registers their routes."""

from marketplace.sales.finance.desk import policies
from marketplace.sales.finance.desk.views import (
    conversions,
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
    "conversions",
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
