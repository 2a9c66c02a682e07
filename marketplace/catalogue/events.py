"""What other domains may learn of the catalogue; wiring.py says who listens.

Listeners run in the transaction of what happened.
"""

from collections.abc import Callable

from marketplace.catalogue.models import Listing, ListingReview

ReviewListener = Callable[[ListingReview], None]
# The listing, whether its revision was approved, and the reviewer's words (may be empty).
DecisionListener = Callable[[Listing, bool, str], None]
_on_review: list[ReviewListener] = []
_on_decision: list[DecisionListener] = []


def on_review_posted(*listeners: ReviewListener) -> None:
    """Call each listener with every new review."""
    _on_review[:] = listeners


def on_listing_decided(*listeners: DecisionListener) -> None:
    """Call each listener when a submitted revision is published, or sent back for changes."""
    _on_decision[:] = listeners


def review_posted(review: ListingReview) -> None:
    """An organization reviewed a listing for the first time."""
    for listener in _on_review:
        listener(review)


def listing_decided(listing: Listing, *, approved: bool, note: str = "") -> None:
    """What a partner submitted was decided."""
    for listener in _on_decision:
        listener(listing, approved, note)
