"""Where a buyer goes on."""

from flask import url_for

from marketplace.catalogue.models import Listing
from marketplace.core.branding import site_address


def absolute(path: str) -> str:
    """`path` (beginning with a slash) at the address of the site that was asked for."""
    return f"{site_address()}{path}"


def listing_page(listing: Listing) -> str:
    """The listing, whose button says what comes next."""
    return url_for("catalogue.listing", slug=listing.slug)
