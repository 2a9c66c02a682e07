"""The developers' pages, below /partner."""

from marketplace.installs.developer import jobs as _jobs  # noqa: F401 - registers its job
from marketplace.installs.developer.views import (  # noqa: F401 - they add their routes
    apps,
    calls,
    clients,
    installations,
    keys,
    quick_start,
    sandbox,
)
from marketplace.installs.developer.views.blueprint import blueprint

__all__ = ["blueprint"]
