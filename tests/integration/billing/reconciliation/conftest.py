"""A Stripe that lists, and the clock at a known moment."""

from collections.abc import Iterator

import pytest
from flask import Flask

from marketplace.core import clock
from tests.factories.reconciliation import NOW, ListedStripe, listed_stripe


@pytest.fixture
def stripe(app: Flask) -> Iterator[ListedStripe]:
    """Stripe, with nothing on its list yet."""
    with clock.frozen(NOW), listed_stripe() as found:
        yield found
