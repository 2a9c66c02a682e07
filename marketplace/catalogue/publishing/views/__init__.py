"""The partner portal's pages, a module per group; `blueprint` is what the application mounts."""

from marketplace.catalogue.publishing.views import (
    editing,
    home,
    life,
    listing,
    media,
    submission,
)
from marketplace.catalogue.publishing.views.portal import blueprint

__all__ = ["blueprint", "editing", "home", "life", "listing", "media", "submission"]
