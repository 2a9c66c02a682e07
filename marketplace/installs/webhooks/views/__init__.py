"""The webhook pages, below /partner."""

from marketplace.installs.webhooks.views import (  # noqa: F401 - they add their routes
    deliveries,
    endpoints,
    secrets,
    switching,
)
from marketplace.installs.webhooks.views.blueprint import blueprint

__all__ = ["blueprint"]
