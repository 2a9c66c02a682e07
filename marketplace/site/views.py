"""The pages of the site as a whole, on one blueprint."""

from marketplace.site import feeds, home, seo, style_guide
from marketplace.site.blueprint import blueprint

__all__ = ["blueprint", "feeds", "home", "seo", "style_guide"]
