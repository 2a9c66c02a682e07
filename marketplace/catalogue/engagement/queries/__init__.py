"""Reads, a file per subject. `listing_panel` is what a listing's page needs of this area."""

from marketplace.catalogue.engagement.queries.panel import listing_panel

__all__ = ["listing_panel"]
