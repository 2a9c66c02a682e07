"""The stand-in by itself, without our application or its database."""

from collections.abc import Iterator

import pytest

from billing.gateway import StripeSettings, configure_gateway
from marketplace.core import clock
from tests.factories.stripe import StripeStandIn, doubled_gateway, stripe_settings


@pytest.fixture
def sandbox(stripe_server: StripeStandIn) -> Iterator[StripeStandIn]:
    """An empty stand-in that the gateway talks to."""
    before = clock._offset
    stripe_server.reset()
    doubled = doubled_gateway(stripe_server.url)
    configure_gateway(stripe_settings(stripe_server.url), instead=doubled)
    yield stripe_server
    configure_gateway(StripeSettings())
    clock._offset = before
    if doubled is not None:
        assert doubled.complaints == []
