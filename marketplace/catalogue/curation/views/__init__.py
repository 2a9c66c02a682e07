"""The staff pages, a file per subject. Importing this package mounts them on the blueprint."""

from marketplace.catalogue.curation import policies
from marketplace.catalogue.curation.views import (
    categories,
    collection_items,
    collections,
    publishers,
    search_log,
    standing,
    synonyms,
)
from marketplace.catalogue.curation.views.blueprint import curation

__all__ = [
    "categories",
    "collection_items",
    "collections",
    "curation",
    "policies",
    "publishers",
    "search_log",
    "standing",
    "synonyms",
]
