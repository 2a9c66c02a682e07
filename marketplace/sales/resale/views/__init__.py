"""The views, a file per subject. Importing this package mounts them on their blueprint."""

from marketplace.sales.resale import jobs, policies
from marketplace.sales.resale.views import agreements, quotes, received
from marketplace.sales.resale.views.blueprint import resale

__all__ = ["agreements", "jobs", "policies", "quotes", "received", "resale"]
