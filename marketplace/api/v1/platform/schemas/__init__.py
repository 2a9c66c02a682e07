"""The shapes of what the platform API answers, a file per subject, as JSON Schema.

Answers are built by the views and checked against these by the tests.
"""

from marketplace.api.v1.platform.schemas import events, installations, listings, me, reviews
from marketplace.api.v1.platform.schemas.parts import SHAPES

__all__ = ["SHAPES", "events", "installations", "listings", "me", "reviews"]
