"""Telling the search index that something changed, through the job table.

Call these in the transaction that changes something; the jobs run after its commit and build
the whole document from the database. The handlers are in catalogue/indexing.
"""

from collections.abc import Callable, Sequence

from marketplace.core.jobs import enqueue

INDEX_LISTING = "search.index_listing"
INDEX_LISTINGS = "search.index_listings"
INDEX_PUBLISHER = "search.index_publisher"
APPLY_SYNONYMS = "search.apply_synonyms"

ListingsListener = Callable[[Sequence[int]], None]
PublisherListener = Callable[[int], None]
_on_listings: list[ListingsListener] = []
_on_publisher: list[PublisherListener] = []


def on_listings_changed(*listeners: ListingsListener) -> None:
    """Call each, in the same transaction, with the ids of listings that changed in public."""
    _on_listings[:] = listeners


def on_publisher_changed(*listeners: PublisherListener) -> None:
    """Call each, likewise, with the id of a publisher that changed in public."""
    _on_publisher[:] = listeners


def listing_changed(listing_id: int) -> None:
    """The listing's public data, rating or visibility changed."""
    for listener in _on_listings:
        listener([listing_id])
    enqueue(INDEX_LISTING, {"listing_id": listing_id}, dedupe_key=f"{INDEX_LISTING}:{listing_id}")


def listings_changed(listing_ids: Sequence[int]) -> None:
    """Many listings changed at once, as in an import: one job for all of them."""
    if listing_ids:
        for listener in _on_listings:
            listener(listing_ids)
        enqueue(INDEX_LISTINGS, {"listing_ids": list(listing_ids)})


def publisher_changed(organization_id: int) -> None:
    """The publisher's name, profile or visibility changed: it and its listings are indexed."""
    for listener in _on_publisher:
        listener(organization_id)
    enqueue(
        INDEX_PUBLISHER,
        {"organization_id": organization_id},
        dedupe_key=f"{INDEX_PUBLISHER}:{organization_id}",
    )


def synonyms_changed() -> None:
    """The operator edited the synonyms."""
    enqueue(APPLY_SYNONYMS, {}, dedupe_key=APPLY_SYNONYMS)
